import type { OpenAPIObject } from '@nestjs/swagger';
import { PROBLEM_RESPONSE } from '../platform/http/problem.dto.js';

type Operation = OpenAPIObject['paths'][string]['get'] & object;
type Parameter = NonNullable<Operation['parameters']>[number];

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'] as const;
/** Probes are not limited, and document their 503 themselves. */
const PROBES = '/api/health';

/**
 * Adds what follows from the routes themselves, so that no controller has to repeat it: a summary from the first
 * sentence, the ids in the path, who may call without signing in, and the refusals that every route shares.
 */
export function completeDocument(document: OpenAPIObject): OpenAPIObject {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) {
        summarize(operation);
        namePathParameters(path, operation);
        relaxDefaults(operation);
        operation.security ??= [];
        addSharedRefusals(path, method, operation);
      }
    }
  }
  return document;
}

function summarize(operation: Operation): void {
  const [, summary, rest] = /^(.+?[.:?])(?:\s+([\s\S]*))?$/.exec(joined(operation.description)) ?? [];
  if (operation.summary) {
    return;
  }
  operation.summary = (summary ?? joined(operation.description)).replace(/[.:]$/, '');
  if (rest === undefined || rest === '') {
    delete operation.description;
  } else {
    operation.description = rest;
  }
}

/** Doc comments are wrapped; documents are not. */
function joined(text = ''): string {
  return text.replace(/\n(?!\n)/g, ' ').trim();
}

function namePathParameters(path: string, operation: Operation): void {
  const known = new Set((operation.parameters ?? []).map((parameter) => ('name' in parameter ? parameter.name : '')));
  const missing = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').filter((name) => !known.has(name));
  const added = missing.map((name): Parameter => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', format: 'uuid' },
  }));
  operation.parameters = [...added, ...(operation.parameters ?? [])];
}

/** What has a default may be left out; the plugin takes a member with an initial value for a required one. */
function relaxDefaults(operation: Operation): void {
  for (const parameter of operation.parameters ?? []) {
    if ('schema' in parameter && 'default' in parameter.schema) {
      parameter.required = false;
    }
  }
}

function addSharedRefusals(path: string, method: (typeof METHODS)[number], operation: Operation): void {
  const reads = method === 'get' || method === 'head';
  const isProbe = path.startsWith(PROBES);
  const takesInput = !reads || (operation.parameters ?? []).length > 0;
  const isGuarded = (operation.security ?? []).length > 0;
  const due: [applies: boolean, status: string, description: string][] = [
    [takesInput, '400', 'It does not have the documented shape.'],
    [isGuarded, '401', 'Not signed in, or no longer.'],
    // A body is read before the route decides whether it takes one.
    [!reads, '413', 'The body is too large.'],
    [!reads, '415', 'The body is of another kind than those that are taken.'],
    [!isProbe, '429', 'Too many requests; see `Retry-After`.'],
    [!isProbe, '503', 'Too much is going on, the database is away, or the server is stopping; see `Retry-After`.'],
    [true, 'default', 'Any other problem, such as 500 `internal_error`.'],
  ];
  for (const [, status, description] of due.filter(([applies]) => applies)) {
    operation.responses[status] ??= { description, ...PROBLEM_RESPONSE };
  }
}

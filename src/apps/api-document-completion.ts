import type { OpenAPIObject } from '@nestjs/swagger';
import { PROBLEM_RESPONSE } from '../platform/http/problem.dto.js';

type Operation = OpenAPIObject['paths'][string]['get'] & object;
type Parameter = NonNullable<Operation['parameters']>[number];

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'] as const;
/** Probes are not limited. */
const UNLIMITED = '/api/health';

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
        addSharedRefusals(path, operation);
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

function addSharedRefusals(path: string, operation: Operation): void {
  const takesInput = (operation.parameters ?? []).some((parameter) => 'in' in parameter && parameter.in !== 'path');
  if (operation.requestBody || takesInput) {
    operation.responses['400'] ??= { description: 'It does not have the documented shape.', ...PROBLEM_RESPONSE };
  }
  if (!path.startsWith(UNLIMITED)) {
    operation.responses['429'] ??= { description: 'Too many requests; see `Retry-After`.', ...PROBLEM_RESPONSE };
  }
}

import type { OpenAPIObject } from '@nestjs/swagger';
import { CSV_EXAMPLE } from '../platform/http/bodies/csv-body.js';
import { JSON_LINES, JSON_LINES_EXAMPLE } from '../platform/http/bodies/json-lines.js';
import { CACHED_ANSWER } from '../platform/cache/cached.decorator.js';
import { ProblemDto } from '../platform/http/problems/problem.dto.js';
import { httpProblems } from '../platform/http/problems/http-problems.js';
import { completeRefusals } from './api-document-refusals.js';
import { completeSchemas, describeExamples } from './api-document-schemas.js';
import { joined } from './joined-lines.js';

type Operation = OpenAPIObject['paths'][string]['get'] & object;
type Parameter = NonNullable<Operation['parameters']>[number];

/** Extensions with the example of a body that is text, and the type of the body. */
const TEXTS = { [CSV_EXAMPLE]: 'text/csv', [JSON_LINES_EXAMPLE]: JSON_LINES };
const CACHE_HEADERS = {
  ETag: { description: 'What the answer is known by.', schema: { type: 'string', example: 'W/"p1Jd0mTz3vQx7aKc"' } },
  Age: {
    description:
      'Seconds since it was read, where it comes from the cache (RFC 9111). It is current all the same, except for readings (`lastSeenAt`, `battery`, `rssi`; in lists of accounts `lastLoginAt`, `loginCount`, `failedAttempts`), which may be as old as that: 30 s at most.',
    schema: { type: 'string', example: '12' },
  },
} as const;
const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'] as const;

/**
 * Adds what follows from the routes themselves, so that no controller has to repeat it: a summary from the first
 * sentence, the ids in the path, who may call without signing in, and the refusals that every route shares.
 */
export function completeDocument(document: OpenAPIObject, problemsUrl: string): OpenAPIObject {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) {
        summarize(operation);
        namePathParameters(path, operation);
        relaxDefaults(operation);
        describeTexts(operation);
        describeCaching(operation);
        describeExamples(operation);
        operation.security ??= [];
        completeRefusals(path, method, operation, problemsUrl);
      }
    }
  }
  completeSchemas(document);
  listCodes(document);
  return document;
}

function summarize(operation: Operation): void {
  const [, summary, rest] = /^(.+?[.:?])(?:\s+([\s\S]*))?$/.exec(joined(operation.description)) ?? [];
  if (operation.summary) {
    return;
  }
  // A summary is plain text: it is not read as Markdown.
  operation.summary = (summary ?? joined(operation.description)).replace(/[.:]$/, '').replaceAll('`', '');
  if (rest === undefined || rest === '') {
    delete operation.description;
  } else {
    operation.description = rest;
  }
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

/** A body of CSV or of JSON lines is text: it has not the schema of the one of JSON. */
function describeTexts(operation: Operation): void {
  const extensions = operation as Readonly<Record<string, unknown>>;
  for (const [extension, type] of Object.entries(TEXTS)) {
    const example = extensions[extension];
    if (example !== undefined && operation.requestBody && 'content' in operation.requestBody) {
      operation.requestBody.content[type] = { schema: { type: 'string' }, example };
      Reflect.deleteProperty(operation, extension);
    }
  }
}

/** What an answer says that may come from the cache. */
function describeCaching(operation: Operation): void {
  const { 200: answer } = operation.responses;
  if (Reflect.has(operation, CACHED_ANSWER) && answer && !('$ref' in answer)) {
    answer.headers = { ...answer.headers, ...CACHE_HEADERS };
  }
  Reflect.deleteProperty(operation, CACHED_ANSWER);
}

/** Every code that `code` can have, so that a client made from the document knows them. */
function listCodes(document: OpenAPIObject): void {
  const { code } = (document.components?.schemas?.[ProblemDto.name] as { properties: Record<string, object> })
    .properties;
  Object.assign(code ?? {}, { enum: httpProblems().map((problem) => problem.code) });
}

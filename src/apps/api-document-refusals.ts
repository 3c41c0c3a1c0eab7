import { getSchemaPath, type OpenAPIObject } from '@nestjs/swagger';
import { RequestDeadlineError } from '../platform/context/request-deadline.js';
import { OverloadedError } from '../platform/http/admission/admission-limiter.js';
import { type DescribedHeader, describeHeader } from '../platform/http/described-header.js';
import { ProblemDto } from '../platform/http/problems/problem.dto.js';
import { type Refusal, refusalResponse, type RefusalResponse } from '../platform/http/problems/refuses.decorator.js';
import { InvalidRequestError } from '../platform/http/validation/validation.js';
import { IpBlockedError, RateLimitedError } from '../platform/rate-limit/rate-limit.errors.js';

type Operation = OpenAPIObject['paths'][string]['get'] & object;

/** Probes are not limited, and document their 503 themselves. */
const PROBES = ['/api/health', '/api/health/live', '/api/health/ready'];
const EXAMPLE_ID = '0198c1de-3f5b-7000-8000-3f3c0f6a7a55';
const EXAMPLE_REQUEST = { requestId: '0198c1de-4c11-7000-8000-9b2f0d6e1c34', timestamp: '2026-11-20T18:00:00.000Z' };

type DescribedHeaders = Readonly<Record<string, DescribedHeader>>;

const RETRY_AFTER = { 'Retry-After': describeHeader('Seconds until it is worth trying again.', '12') };
/** What a refusal says besides its body, by its status. */
const HEADERS: Readonly<Record<string, DescribedHeaders>> = {
  401: { 'WWW-Authenticate': describeHeader('What the request has to show (RFC 6750).', 'Bearer') },
  429: {
    ...RETRY_AFTER,
    RateLimit: describeHeader(
      'What is left of each limit (`r`), and when it grows again (`t`, seconds).',
      '"device";r=0;t=12',
    ),
    'RateLimit-Policy': describeHeader(
      'Each limit that was applied: quota `q` in a window of `w` seconds.',
      '"device";q=100;w=60',
    ),
  },
  503: RETRY_AFTER,
};

/** Adds what every route refuses, and makes one response with an example for each code of what stands side by side. */
export function completeRefusals(path: string, method: string, operation: Operation, problemsUrl: string): void {
  for (const [status, refusal] of sharedRefusals(path, method, operation)) {
    const { status: own, ...response } = refusalResponse(refusal);
    add(operation, status ?? String(own), response);
  }
  for (const [status, response] of Object.entries(operation.responses)) {
    const raw = rawOf(response);
    if (raw) {
      const told = { ...raw, headers: HEADERS[status] ?? {} };
      operation.responses[status] = problemResponse(told, problemsUrl, examplePath(path, operation));
    }
  }
}

type Raw = Omit<RefusalResponse, 'status'> & { readonly headers?: DescribedHeaders };

/** What `@Refuses` documented: the framework puts its examples below the type of the success. */
function rawOf(response: Operation['responses'][string] | undefined): Raw | undefined {
  if (!response || !('content' in response)) {
    return undefined;
  }
  const { content = {}, ...rest } = response;
  const { examples, schema } = Object.values(content)[0] ?? {};
  return examples && !schema ? ({ ...rest, examples } as Raw) : undefined;
}

function add(operation: Operation, status: string, response: Raw): void {
  const documented = rawOf(operation.responses[status]) ?? operation.responses[status];
  const { examples, ...rest } = { ...response, ...documented };
  operation.responses[status] = {
    ...rest,
    content: { 'application/json': { examples: { ...response.examples, ...examples } } },
  };
}

/** A status of null is that of the refusal itself. */
function sharedRefusals(path: string, method: string, operation: Operation): [string | null, Refusal][] {
  const reads = method === 'get' || method === 'head';
  const isLimited = !PROBES.includes(path);
  const due: [applies: boolean, status: string | null, ...refusals: Refusal[]][] = [
    [!reads || (operation.parameters ?? []).length > 0, null, InvalidRequestError],
    // A body is read before the route decides whether it takes one.
    [!reads, null, 'body_too_large', 'unsupported_media_type'],
    [isLimited, null, RateLimitedError, IpBlockedError],
    [isLimited, null, OverloadedError, RequestDeadlineError, 'service_unavailable'],
    [true, 'default', 'internal_error'],
  ];
  return due
    .filter(([applies]) => applies)
    .flatMap(([, status, ...refusals]) => refusals.map((refusal): [string | null, Refusal] => [status, refusal]));
}

/** What the decorators say of the status, then the meaning of each code. */
function problemResponse(
  { examples, description, ...response }: Raw,
  problemsUrl: string,
  path: string,
): Operation['responses'][string] {
  const codes = Object.entries(examples);
  const meanings = codes.map(([code, { summary }]) => `- \`${code}\`: ${summary}`).join('\n');
  return {
    ...response,
    description: [description.trim(), meanings].filter(Boolean).join('\n\n'),
    content: {
      'application/problem+json': {
        schema: { $ref: getSchemaPath(ProblemDto) },
        examples: Object.fromEntries(
          codes.map(([code, { summary, value }]) => [
            code,
            { summary, value: { type: problemsUrl + code, ...value, ...EXAMPLE_REQUEST, path } },
          ]),
        ),
      },
    },
  };
}

function examplePath(path: string, operation: Operation): string {
  return path.replace(/\{(\w+)\}/g, (_member, name: string) => {
    const parameter = operation.parameters?.find((each) => 'name' in each && each.name === name && each.in === 'path');
    const { example, schema } = (parameter ?? {}) as { example?: unknown; schema?: { example?: unknown } };
    const value = example ?? schema?.example;
    return typeof value === 'string' ? value : EXAMPLE_ID;
  });
}

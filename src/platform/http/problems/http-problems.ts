import { STATUS_CODES } from 'node:http';
import { type ErrorKind, type ProblemType, problemTypes, type ProblemText } from '../../../shared/domain-error.js';

/** One HTTP status for every kind of error: complete, or it does not compile. */
export const HTTP_STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  precondition_failed: 412,
  range_not_satisfiable: 416,
  unprocessable: 422,
  too_many: 429,
  unavailable: 503,
  internal: 500,
};

/** A kind of problem as clients over HTTP get it. */
export interface HttpProblem extends ProblemText {
  readonly code: string;
  readonly status: number;
  /** The status in words. */
  readonly title: string;
  /** A `detail` as it could be told, where the meaning is not all of it. */
  readonly example?: string;
}

/** Refusals that come from the framework, before any of our code ran, by their status. */
const FRAMEWORK_PROBLEMS: readonly Omit<HttpProblem, 'title'>[] = [
  {
    status: 404,
    code: 'route_not_found',
    meaning: 'There is no such route.',
    cause:
      'The path has a mistake: a missing `/api/v1`, a slash at the end, capitals, or a part that is in another place.',
    cure: 'Compare the path with the list at `/api/docs`.',
  },
  {
    status: 405,
    code: 'method_not_allowed',
    meaning: 'The path exists, and not with this method.',
    cause: 'The request says POST where the route takes PATCH, or the like.',
    cure: 'Use one of the methods that `Allow` lists.',
  },
  {
    status: 408,
    code: 'request_timeout',
    meaning: 'The request did not arrive in time.',
    cause: 'Its headers or its body came too slowly, or the connection was silent.',
    cure: 'Send it again on a new connection.',
  },
  {
    status: 413,
    code: 'body_too_large',
    meaning: 'The body is too large.',
    cause: 'It has more bytes than the route takes; `detail` says how many these are.',
    cure: 'Send less at once, for example in several requests.',
  },
  {
    status: 414,
    code: 'uri_too_long',
    meaning: 'The address is too long.',
    cause: 'A part of the path is longer than any id.',
    cure: 'Send ids as they were given out.',
  },
  {
    status: 415,
    code: 'unsupported_media_type',
    meaning: 'The body is of a kind that is not taken.',
    cause: '`Content-Type` is missing, or names another type than JSON, such as that of a form.',
    cure: 'Send JSON with `Content-Type: application/json`.',
  },
  {
    status: 431,
    code: 'headers_too_large',
    meaning: 'The headers are too large.',
    cause: 'All headers together have more than 16 KiB, often because of cookies.',
    cure: 'Send fewer or shorter headers.',
  },
  {
    status: 500,
    code: 'internal_error',
    meaning: 'Something went wrong on our side.',
    cause: 'A mistake in the server, which has written it to its log.',
    cure: 'Try again later. If it stays, ask the operator, and quote the `requestId`.',
  },
  {
    status: 503,
    code: 'service_unavailable',
    meaning: 'The service cannot answer right now.',
    cause: 'Its database is away or slow, or the server is being restarted.',
    cure: 'Wait as long as `Retry-After` says, and try again; a change with the same `Idempotency-Key`.',
  },
];

/** The code of a refusal by the framework. */
export const frameworkCode = (status: number): string =>
  FRAMEWORK_PROBLEMS.find((problem) => problem.status === status)?.code ?? 'invalid_request';

/** A kind of problem of ours as clients over HTTP get it. */
export function toHttpProblem({ kind, ...problem }: ProblemType): HttpProblem {
  return titled({ ...problem, status: HTTP_STATUS[kind] });
}

/** Every kind of problem that this installation answers with, in the order of their codes. */
export function httpProblems(): HttpProblem[] {
  return [...FRAMEWORK_PROBLEMS.map(titled), ...problemTypes().map(toHttpProblem)].sort((one, other) =>
    one.code < other.code ? -1 : 1,
  );
}

function titled(problem: Omit<HttpProblem, 'title'>): HttpProblem {
  return { ...problem, title: STATUS_CODES[problem.status] ?? 'Error' };
}

/** @throws Error for a code that no problem has */
export function httpProblem(code: string): HttpProblem {
  const own = problemTypes().find((type) => type.code === code);
  const ofFramework = FRAMEWORK_PROBLEMS.find((problem) => problem.code === code);
  if (own) {
    return toHttpProblem(own);
  }
  if (!ofFramework) {
    throw new Error(`No problem has the code "${code}".`);
  }
  return titled(ofFramework);
}

/** A code behind it is the address of that kind of problem, its `type` (RFC 9457, section 3.1.1). */
export const problemsUrl = (publicUrl: string): string => `${publicUrl.replace(/\/+$/, '')}/problems/`;

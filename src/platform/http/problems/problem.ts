import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { DeadlineExceededError } from '../../../shared/deadline.js';
import { DomainError, type FieldError } from '../../../shared/domain-error.js';
import { isDatabaseUnavailable } from '../../prisma/prisma-errors.js';
import { frameworkCode, HTTP_STATUS } from './http-problems.js';

/** What was away is often back by then; a client that is refused again waits longer by itself. */
const RETRY_UNAVAILABLE_S = 2;

/** The description of an error for the caller, on every transport; over HTTP, `type` is added. */
export interface Problem {
  title: string;
  status: number;
  detail: string;
  code: string;
  errors?: readonly FieldError[];
  /** Seconds after which a retry may succeed. */
  retryAfter?: number;
  /** Of 401: what `WWW-Authenticate` says of a token that does not stand (RFC 6750, section 3). */
  challenge?: string;
}

/** Translates anything thrown. What we did not foresee says nothing of its inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof DomainError) {
    return {
      ...error.members,
      ...named(HTTP_STATUS[error.kind], error.code, error.message),
      ...(error.errors ? { errors: error.errors } : {}),
      ...retryOf(error),
      ...(error.challenge === undefined ? {} : { challenge: error.challenge }),
    };
  }
  const status = frameworkStatus(error);
  if (status !== null && status < 500 && error instanceof Error) {
    return named(status, frameworkCode(status), error.message);
  }
  if (status === 503 || isUnavailable(error)) {
    return {
      ...named(503, 'service_unavailable', 'The service cannot answer right now. Try again shortly.'),
      retryAfter: RETRY_UNAVAILABLE_S,
    };
  }
  return named(500, 'internal_error', 'Something went wrong on our side. The request id helps to find out what.');
}

/** Whatever is unavailable is worth another try, also where its error does not say when. */
function retryOf({ kind, details }: DomainError): Pick<Problem, 'retryAfter'> {
  if (typeof details.retryAfter === 'number') {
    return { retryAfter: details.retryAfter };
  }
  return kind === 'unavailable' ? { retryAfter: RETRY_UNAVAILABLE_S } : {};
}

/** PostgreSQL is away, full or too slow, or something else that this process depends on did not answer in time. */
function isUnavailable(error: unknown): boolean {
  return error instanceof DeadlineExceededError || isDatabaseUnavailable(error);
}

function named(status: number, code: string, detail: string): Problem {
  return { title: STATUS_CODES[status] ?? 'Error', status, detail, code };
}

/** Nest's HttpException, or an error of Fastify (body parser, content type, limits), which carries `statusCode`. */
function frameworkStatus(error: unknown): number | null {
  if (error instanceof HttpException) {
    return error.getStatus();
  }
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 ? statusCode : null;
}

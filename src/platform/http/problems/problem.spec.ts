import { describe, expect, it } from '@jest/globals';
import { ConflictException, NotFoundException, ServiceUnavailableException } from '@nestjs/common';
import { DeadlineExceededError } from '../../../shared/deadline.js';
import { DomainError, ERROR_KINDS, type ErrorKind } from '../../../shared/domain-error.js';
import { problemOf } from './problem.js';

class SampleError extends DomainError {
  override readonly code = 'sample';
  constructor(
    override readonly kind: ErrorKind,
    details: Record<string, unknown> = {},
  ) {
    super('A sample.', details);
  }
}

describe('problemOf', () => {
  it('gives every kind of domain error a status and keeps its code', () => {
    const statuses = ERROR_KINDS.map((kind) => problemOf(new SampleError(kind)).status);
    expect(statuses).toEqual([400, 401, 403, 404, 409, 410, 412, 416, 422, 429, 503, 500]);
    expect(problemOf(new SampleError('conflict'))).toEqual({
      title: 'Conflict',
      status: 409,
      detail: 'A sample.',
      code: 'sample',
    });
  });

  it('passes on when it is worth trying again', () => {
    expect(problemOf(new SampleError('unavailable', { retryAfter: 3 })).retryAfter).toBe(3);
  });

  it('names what the framework refused', () => {
    expect(problemOf(new NotFoundException('Cannot GET /nowhere'))).toMatchObject({
      status: 404,
      code: 'route_not_found',
    });
    expect(problemOf(new ConflictException())).toMatchObject({ status: 409, code: 'invalid_request' });
    expect(problemOf(Object.assign(new Error('too big'), { statusCode: 413 }))).toMatchObject({
      status: 413,
      code: 'body_too_large',
    });
    expect(problemOf(new ServiceUnavailableException('inside'))).toMatchObject({
      status: 503,
      code: 'service_unavailable',
      retryAfter: 2,
    });
  });

  it.each([
    ['away', Object.assign(new Error('inside'), { code: '57P01' })],
    ['used up', new Error('timeout exceeded when trying to connect')],
    ['slow', new DeadlineExceededError(10_000)],
  ])('asks to come back when what we depend on is %s', (_how, error) => {
    const problem = problemOf(error);
    expect(problem).toMatchObject({ status: 503, code: 'service_unavailable', retryAfter: 2 });
    expect(JSON.stringify(problem)).not.toContain(error.message);
  });

  it('tells nothing of the inside of what was not foreseen', () => {
    for (const error of [new Error('relation "users" does not exist'), 'a string', undefined, { statusCode: 'x' }]) {
      const problem = problemOf(error);
      expect(problem).toMatchObject({ status: 500, code: 'internal_error' });
      expect(JSON.stringify(problem)).not.toContain('users');
    }
  });
});

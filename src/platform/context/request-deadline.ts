import { AsyncLocalStorage } from 'node:async_hooks';
import { DomainError, AsProblem } from '../../shared/domain-error.js';
import { requestContext } from './request-context.js';

/** What was slow is often well again by then. */
const RETRY_AFTER_S = 2;

/**
 * The request was not answered within its time. A change that it asked for may have been made, or not; repeated with the same
 * `Idempotency-Key`, it is made once.
 */
@AsProblem({
  code: 'deadline_exceeded',
  kind: 'unavailable',
  meaning: 'The request took too long and was given up.',
  cause: 'The server or its database is slow at present.',
  cure: 'Wait as long as `Retry-After` says, and try again; a change with the same `Idempotency-Key`.',
})
export class RequestDeadlineError extends DomainError {
  constructor() {
    super('This took too long and was given up. Try again shortly.', { retryAfter: RETRY_AFTER_S });
  }
}

/** Begin nothing more for a request whose time is over. @throws RequestDeadlineError; never outside of a request */
export function assertInTime(): void {
  if (isPast(requestContext()?.deadline)) {
    throw new RequestDeadlineError();
  }
}

const ofBatch = new AsyncLocalStorage<number | undefined>();

/** Runs a batch for many requests: it commits only until the time of the first of them is over. */
export function commitUntil<T>(deadline: number | undefined, work: () => T): T {
  return ofBatch.run(deadline, work);
}

/** Commit nothing for requests that were told that it was given up. @throws RequestDeadlineError */
export function assertCommitInTime(): void {
  assertInTime();
  if (isPast(ofBatch.getStore())) {
    throw new RequestDeadlineError();
  }
}

/** @param deadline by `performance.now()`; undefined never passes. */
export function isPast(deadline: number | undefined): boolean {
  return deadline !== undefined && performance.now() >= deadline;
}

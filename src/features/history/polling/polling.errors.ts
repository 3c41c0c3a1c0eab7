import { AsProblem, DomainError } from '../../../shared/domain-error.js';

/** A request waits for half a minute at most. */
const RETRY_AFTER_S = 5;

@AsProblem(
  {
    code: 'too_many_waiting',
    kind: 'too_many',
    meaning: 'So many requests of this person wait for events that there is no room for one more.',
    cause: 'Each tab or program waits with `Prefer: wait`, or asks again before its answer has come.',
    cure: 'Share one request between tabs, or ask without `Prefer: wait`. Try again after `Retry-After`.',
  },
  20,
)
export class TooManyWaitingError extends DomainError {
  constructor(limit: number) {
    super(`At most ${String(limit)} requests of a person wait for events at a server process.`, {
      limit,
      retryAfter: RETRY_AFTER_S,
    });
  }
}

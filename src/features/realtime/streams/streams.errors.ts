import { AsProblem, DomainError } from '../../../shared/domain-error.js';

const RETRY_AFTER_S = 15;

@AsProblem(
  {
    code: 'too_many_streams',
    kind: 'too_many',
    meaning: 'So many event streams are open for this person that there is no room for one more.',
    cause: 'Each tab or program opens one, or streams that were lost are not closed yet.',
    cure: 'Share one stream between tabs. Close what is not shown any more, and try again after `Retry-After`.',
  },
  20,
)
export class TooManyStreamsError extends DomainError {
  constructor(limit: number) {
    super(`A person has at most ${String(limit)} event streams open at a server process.`, {
      limit,
      retryAfter: RETRY_AFTER_S,
    });
  }
}

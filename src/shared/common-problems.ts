import type { ProblemType } from './domain-error.js';

/** Kinds of problems that several classes of errors are of, or several features answer with. */
export const NOT_FOUND: ProblemType = {
  code: 'not_found',
  kind: 'not_found',
  meaning: 'There is no such thing, or it is not yours.',
  cause:
    'The id is wrong, the thing was deleted, it belongs to another account, or what gives you access is not open now; which of these is not told.',
  cure: 'Read the list again. If the thing belongs to somebody else, ask them to share it. A device that was shared with you: look at `GET /shares`, where your share may be suspended, or open later.',
};

export const BUSY: ProblemType = {
  code: 'busy',
  kind: 'unavailable',
  meaning: 'The server has too much to do.',
  cause: 'More requests are under way than it can answer in time.',
  cure: 'Wait as long as `Retry-After` says, and try again; a change with the same `Idempotency-Key`.',
};

export const LAST_OWNER: ProblemType = {
  code: 'last_owner',
  kind: 'conflict',
  meaning: 'An organization always has an owner.',
  cause: 'The change would leave none.',
  cure: 'Make another member an owner first, or delete the organization.',
};

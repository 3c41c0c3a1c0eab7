import type { SessionEnd } from '../../contracts/sessions.js';
import { NOT_FOUND } from '../../shared/common-problems.js';
import { DomainError, AsProblem, type ProblemType } from '../../shared/domain-error.js';

const UNAUTHENTICATED: ProblemType = {
  code: 'unauthenticated',
  kind: 'unauthenticated',
  meaning: 'The request does not show who sends it.',
  cause:
    'The access token is missing, cannot be verified, or has expired; or its session was ended, which `reason` says.',
  cure: 'Refresh the session with the refresh token. Where that is refused, let the user log in again.',
};

@AsProblem(UNAUTHENTICATED)
export class UnauthenticatedError extends DomainError {
  constructor(options?: ErrorOptions) {
    super('Sign in first: the access token is missing, invalid, expired or revoked.', {}, options);
  }
}

/** The token is genuine, but its session is over: who holds it may know why, in `reason`. */
@AsProblem(UNAUTHENTICATED, 'revoked')
export class SessionEndedError extends DomainError {
  override readonly members: Readonly<Record<string, string>>;

  constructor(reason: SessionEnd, message = 'This session has ended. Sign in again.') {
    super(message);
    this.members = { reason };
  }
}

/** It has a code of its own: the user only signed in on one device more. */
@AsProblem({
  code: 'session_evicted',
  kind: 'unauthenticated',
  meaning: 'The session was ended because the user signed in on more devices than are allowed at a time.',
  cause: 'A newer session took its place.',
  cure: 'Tell the user so, and let them log in again on this device if they want to.',
})
export class SessionEvictedError extends SessionEndedError {
  constructor() {
    super(
      'evicted',
      'This session was ended because you signed in on more devices than are allowed at a time. Sign in again.',
    );
  }
}

/** The refusal of a token whose session is over. */
export const sessionEnded = (reason: SessionEnd): SessionEndedError =>
  reason === 'evicted' ? new SessionEvictedError() : new SessionEndedError(reason);

@AsProblem(
  {
    code: 'forbidden',
    kind: 'forbidden',
    meaning: 'You are signed in, and may not do this.',
    cause: 'The route needs a permission or a role that you do not have on this resource.',
    cure: 'Ask its owner for the permission, or sign in as somebody who has it.',
  },
  'admin',
)
export class ForbiddenError extends DomainError {
  constructor(demand: string) {
    super('You may see this, but not do that with it.', { required: demand });
  }
}

/** Also the answer for a resource of another user, so that it does not tell whether the resource exists. */
@AsProblem(NOT_FOUND, 'resource')
export class ResourceNotFoundError extends DomainError {
  constructor(kind: string) {
    super(`There is no such ${kind}, or it is not yours.`, { resource: kind });
  }
}

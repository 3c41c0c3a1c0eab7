import type { SessionEnd } from '../../contracts/sessions.js';
import { DomainError } from '../../shared/domain-error.js';

export class UnauthenticatedError extends DomainError {
  readonly code = 'unauthenticated';
  readonly kind = 'unauthenticated';
  constructor(options?: ErrorOptions) {
    super('Sign in first: the access token is missing, invalid, expired or revoked.', {}, options);
  }
}

/** The token is genuine, but its session is over: who holds it may know why, in `reason`. */
export class SessionEndedError extends DomainError {
  /** An eviction has a code of its own: the user only signed in on one device more. */
  readonly code: 'session_evicted' | 'unauthenticated';
  readonly kind = 'unauthenticated';
  override readonly members: Readonly<Record<string, string>>;

  constructor(reason: SessionEnd) {
    super(
      reason === 'evicted'
        ? 'This session was ended because you signed in on more devices than are allowed at a time. Sign in again.'
        : 'This session has ended. Sign in again.',
    );
    this.code = reason === 'evicted' ? 'session_evicted' : 'unauthenticated';
    this.members = { reason };
  }
}

export class ForbiddenError extends DomainError {
  readonly code = 'forbidden';
  readonly kind = 'forbidden';
  constructor(demand: string) {
    super('You may see this, but not do that with it.', { required: demand });
  }
}

/** Also the answer for a resource of another user, so that it does not tell whether the resource exists. */
export class ResourceNotFoundError extends DomainError {
  readonly code = 'not_found';
  readonly kind = 'not_found';
  constructor(kind: string) {
    super(`There is no such ${kind}, or it is not yours.`, { resource: kind });
  }
}

import { DomainError } from '../../shared/domain-error.js';

export class UnauthenticatedError extends DomainError {
  readonly code = 'unauthenticated';
  readonly kind = 'unauthenticated';
  constructor(options?: ErrorOptions) {
    super('Sign in first: the access token is missing, invalid, expired or revoked.', {}, options);
  }
}

export class ForbiddenError extends DomainError {
  readonly code = 'forbidden';
  readonly kind = 'forbidden';
  constructor(demand: string) {
    super('You may see this, but not do that with it.', { required: demand });
  }
}

/** Also the answer for what belongs to somebody else: nobody learns that it exists. */
export class ResourceNotFoundError extends DomainError {
  readonly code = 'not_found';
  readonly kind = 'not_found';
  constructor(kind: string) {
    super(`There is no such ${kind}, or it is not yours.`, { resource: kind });
  }
}

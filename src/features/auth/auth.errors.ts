import { DomainError } from '../../shared/domain-error.js';

/** The same for an unknown person and for a wrong password. */
export class InvalidCredentialsError extends DomainError {
  readonly code = 'invalid_credentials';
  readonly kind = 'unauthenticated';

  constructor() {
    super('The identifier or the password is wrong.');
  }
}

export class InvalidRefreshTokenError extends DomainError {
  readonly code = 'invalid_refresh_token';
  readonly kind = 'unauthenticated';

  constructor() {
    super('The refresh token is unknown, expired or revoked. Sign in again.');
  }
}

/** Thrown after the session was revoked, never before. */
export class TokenReusedError extends DomainError {
  readonly code = 'token_reused';
  readonly kind = 'unauthenticated';

  constructor() {
    super('This refresh token had been used before, so its session was ended. Sign in again.');
  }
}

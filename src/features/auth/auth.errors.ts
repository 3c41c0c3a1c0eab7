import { DomainError, type FieldError } from '../../shared/domain-error.js';

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

/** The same for a token that is unknown, used, expired, or meant for something else. */
export class InvalidOneTimeTokenError extends DomainError {
  readonly code = 'invalid_token';
  readonly kind = 'unprocessable';
  override readonly errors: readonly FieldError[] = [
    { detail: 'token is unknown, used or expired', pointer: '/token' },
  ];

  constructor() {
    super('This link is unknown, expired, or was used before. Ask for a new one.');
  }
}

/** Too many guesses for this account from this origin or from all; the same whether the account exists or not. */
export class LoginThrottledError extends DomainError {
  readonly code = 'login_throttled';
  readonly kind = 'too_many';

  constructor(retryAfter: number) {
    super('Too many failed attempts. Wait before the next one, or reset the password.', { retryAfter });
  }
}

/** Whether the e-mail address has an account makes no difference. */
export class EmailQuotaExceededError extends DomainError {
  readonly code = 'mail_quota_exceeded';
  readonly kind = 'too_many';

  constructor(retryAfter: number) {
    super('Enough mail was sent to this e-mail address for now. What was sent before stays valid.', { retryAfter });
  }
}

/** Thrown only when the password was right. */
export class AccountBlockedError extends DomainError {
  readonly code = 'account_blocked';
  readonly kind = 'forbidden';

  constructor() {
    super('This account is blocked. An administrator can tell why.');
  }
}

/** Thrown only when the password was right, and must be changed. */
export class PasswordChangeRequiredError extends DomainError {
  readonly code = 'password_change_required';
  readonly kind = 'forbidden';
  override readonly members: Readonly<Record<string, string>>;

  /** @param changeToken for one `POST /auth/complete-password-change`. */
  constructor(changeToken: string, reason: 'reset' | 'expired') {
    super(
      reason === 'reset'
        ? 'An administrator reset this password. Choose a new one with the changeToken.'
        : 'This password has expired. Choose a new one with the changeToken.',
    );
    this.members = { changeToken };
  }
}

export class RegistrationClosedError extends DomainError {
  readonly code = 'registration_closed';
  readonly kind = 'forbidden';

  constructor() {
    super('Accounts are made by administrators here.');
  }
}

/** The password of a person who is signed in already. */
export class WrongPasswordError extends DomainError {
  readonly code = 'wrong_password';
  readonly kind = 'unprocessable';
  override readonly errors: readonly FieldError[];

  /** @param member what the request calls it. */
  constructor(member = 'password') {
    super('The password is wrong.');
    this.errors = [{ detail: `${member} is wrong`, pointer: `/${member}` }];
  }
}

/** The same password was chosen again. */
export class PasswordUnchangedError extends DomainError {
  readonly code = 'password_unchanged';
  readonly kind = 'unprocessable';
  override readonly errors: readonly FieldError[] = [
    { detail: 'newPassword must be another one than before', pointer: '/newPassword' },
  ];

  constructor() {
    super('This is the password that is to be changed. Choose another one.');
  }
}

/** The same for another person's session. */
export class SessionNotFoundError extends DomainError {
  readonly code = 'not_found';
  readonly kind = 'not_found';

  constructor() {
    super('There is no such session, or it is not yours.', { resource: 'session' });
  }
}

import { NOT_FOUND } from '../../shared/common-problems.js';
import { DomainError, type FieldError, AsProblem } from '../../shared/domain-error.js';

/** The same for an unknown person and for a wrong password. */
@AsProblem({
  code: 'invalid_credentials',
  kind: 'unauthenticated',
  meaning: 'The identifier or the password is wrong.',
  cause:
    'No account has this e-mail address or username, or its password is another one; which of the two is not told.',
  cure: 'Ask the user to type both again, or offer to reset the password.',
})
export class InvalidCredentialsError extends DomainError {
  constructor() {
    super('The identifier or the password is wrong.');
  }
}

@AsProblem({
  code: 'invalid_refresh_token',
  kind: 'unauthenticated',
  meaning: 'The refresh token opens no session.',
  cause: 'It is unknown, has expired, or its session was ended.',
  cure: 'Forget both tokens and let the user log in again.',
})
export class InvalidRefreshTokenError extends DomainError {
  constructor() {
    super('The refresh token is unknown, expired or revoked. Sign in again.');
  }
}

/** Thrown after the session was revoked, never before. */
@AsProblem({
  code: 'token_reused',
  kind: 'unauthenticated',
  meaning: 'A refresh token was used twice, so its session was ended.',
  cause: 'Each refresh token works once. Two parts of an app refreshed at the same time, or the token was copied.',
  cure: 'Log in again. Refresh in one place of the app only, and store the new pair before you use it.',
})
export class TokenReusedError extends DomainError {
  constructor() {
    super('This refresh token had been used before, so its session was ended. Sign in again.');
  }
}

/** The same for a token that is unknown, used, expired, or meant for something else. */
@AsProblem({
  code: 'invalid_token',
  kind: 'unprocessable',
  meaning: 'The token of a mailed link is not valid.',
  cause: 'It is unknown, has expired, was used before, or was made for something else.',
  cure: 'Ask for a new link.',
})
export class InvalidOneTimeTokenError extends DomainError {
  override readonly errors: readonly FieldError[] = [
    { detail: '`token` is unknown, used or expired', pointer: '/token' },
  ];

  constructor() {
    super('This link is unknown, expired, or was used before. Ask for a new one.');
  }
}

/** Too many guesses for this account from this origin or from all; the same whether the account exists or not. */
@AsProblem(
  {
    code: 'login_throttled',
    kind: 'too_many',
    meaning: 'Too many failed attempts to log in.',
    cause: 'The account was tried with wrong passwords again and again, from this address or from many.',
    cure: 'Wait as long as `Retry-After` says, or reset the password.',
  },
  12,
)
export class LoginThrottledError extends DomainError {
  constructor(retryAfter: number) {
    super('Too many failed attempts. Wait before the next one, or reset the password.', { retryAfter });
  }
}

/** Whether the e-mail address has an account makes no difference. */
@AsProblem(
  {
    code: 'mail_quota_exceeded',
    kind: 'too_many',
    meaning: 'Enough letters were sent to this e-mail address for now.',
    cause: 'Several were asked for within a short time, whether or not the address has an account.',
    cure: 'Use the letter that was sent; its link stays valid. Else wait as long as `Retry-After` says.',
  },
  900,
)
export class EmailQuotaExceededError extends DomainError {
  constructor(retryAfter: number) {
    super('Enough mail was sent to this e-mail address for now. What was sent before stays valid.', { retryAfter });
  }
}

/** Thrown only when the password was right. */
@AsProblem({
  code: 'account_blocked',
  kind: 'forbidden',
  meaning: 'The account is blocked.',
  cause: 'An administrator blocked it.',
  cure: 'The user asks an administrator; nothing that the app does helps.',
})
export class AccountBlockedError extends DomainError {
  constructor() {
    super('This account is blocked. An administrator can tell why.');
  }
}

/** Thrown only when the password was right, and must be changed. */
@AsProblem(
  {
    code: 'password_change_required',
    kind: 'forbidden',
    meaning: 'The password was right, and must be replaced before it opens a session.',
    cause: 'An administrator reset it, or it has expired.',
    cure: 'Ask for a new password and send it with `changeToken` to `POST /auth/complete-password-change`.',
  },
  'q8Zt1vJm0cE5xT2yWb7uKdP4sLhR9nAf',
  'reset',
)
export class PasswordChangeRequiredError extends DomainError {
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

@AsProblem({
  code: 'registration_closed',
  kind: 'forbidden',
  meaning: 'Accounts are made by administrators here.',
  cause: 'The setting `REGISTRATION` is `closed`.',
  cure: 'Ask an administrator for an account, or for an invitation.',
})
export class RegistrationClosedError extends DomainError {
  constructor() {
    super('Accounts are made by administrators here.');
  }
}

/** The password of a person who is signed in already. */
@AsProblem({
  code: 'wrong_password',
  kind: 'unprocessable',
  meaning: 'The password of the account is wrong.',
  cause: 'A change that needs the present password came with another one.',
  cure: 'Ask the user to type the present password again.',
})
export class WrongPasswordError extends DomainError {
  override readonly errors: readonly FieldError[];

  /** @param member what the request calls it. */
  constructor(member = 'password') {
    super('The password is wrong.');
    this.errors = [{ detail: `\`${member}\` is wrong`, pointer: `/${member}` }];
  }
}

/** The same password was chosen again. */
@AsProblem({
  code: 'password_unchanged',
  kind: 'unprocessable',
  meaning: 'The new password is the old one.',
  cause: 'The same password was chosen again.',
  cure: 'Ask for another password.',
})
export class PasswordUnchangedError extends DomainError {
  override readonly errors: readonly FieldError[] = [
    { detail: '`newPassword` must be another one than before', pointer: '/newPassword' },
  ];

  constructor() {
    super('This is the password that is to be changed. Choose another one.');
  }
}

/** The same for another person's session. */
@AsProblem(NOT_FOUND)
export class SessionNotFoundError extends DomainError {
  constructor() {
    super('There is no such session, or it is not yours.', { resource: 'session' });
  }
}

import { DomainError, type FieldError } from '../../shared/domain-error.js';
import type { AccountStatus } from './users.types.js';

export class EmailTakenError extends DomainError {
  readonly code = 'email_taken';
  readonly kind = 'conflict';
  override readonly errors: readonly FieldError[] = [{ detail: 'email belongs to another account', pointer: '/email' }];

  constructor(options?: ErrorOptions) {
    super('There is an account with this e-mail address.', {}, options);
  }
}

export class UsernameTakenError extends DomainError {
  readonly code = 'username_taken';
  readonly kind = 'conflict';
  override readonly errors: readonly FieldError[] = [
    { detail: 'username belongs to another account', pointer: '/username' },
  ];

  constructor(options?: ErrorOptions) {
    super('This username is taken.', {}, options);
  }
}

export class WeakPasswordError extends DomainError {
  readonly code = 'weak_password';
  readonly kind = 'unprocessable';
  override readonly errors: readonly FieldError[];

  constructor(fault: string, pointer = '/password') {
    super('This password is not safe enough.');
    this.errors = [{ detail: fault, pointer }];
  }
}

/** For callers without a validated request. */
export class InvalidAccountError extends DomainError {
  readonly code = 'invalid_account';
  readonly kind = 'unprocessable';

  constructor(override readonly errors: readonly FieldError[]) {
    super('This is not a valid account.');
  }
}

export class UserNotFoundError extends DomainError {
  readonly code = 'user_not_found';
  readonly kind = 'not_found';

  constructor(userId: string) {
    super('There is no such person.', { userId });
  }
}

/** The account is not in the version that the caller wants to change. */
export class AccountChangedError extends DomainError {
  readonly code = 'account_changed';
  readonly kind = 'precondition_failed';

  constructor() {
    super('The account was changed in the meantime. Read it again before you change it.');
  }
}

/** The change does not fit the state: blocked already, not deleted, … */
export class AccountStateError extends DomainError {
  readonly code = 'account_state';
  readonly kind = 'conflict';

  constructor(status: AccountStatus) {
    super(`The account is ${status}.`, { status });
  }
}

/** No administrator who can sign in would be left. */
export class LastAdminError extends DomainError {
  readonly code = 'last_admin';
  readonly kind = 'conflict';

  constructor(message = 'This is the last administrator who can act: it stays one.') {
    super(message);
  }
}

/** The person was signed in, and their account was blocked or deleted while the request was on its way. */
export class AccountCannotActError extends DomainError {
  readonly code = 'account_cannot_act';
  readonly kind = 'forbidden';

  constructor() {
    super('The account was blocked or deleted in the meantime.');
  }
}

/** An administrator reset the password of the account, or replaced its e-mail address, and may be the one who asks. */
export class UnlockRestrictedError extends DomainError {
  readonly code = 'unlock_restricted';
  readonly kind = 'forbidden';
  override readonly members: Readonly<Record<string, string>>;

  /** @param until when it may unlock doors, and let others do so, again. */
  constructor(until: Date) {
    super(
      'An administrator reset your password or replaced your e-mail address, so for 24 hours your account unlocks no door ' +
        'and lets nobody else do so. Follow the link that was mailed to you when you chose the password, or reset the ' +
        'password by a link (POST /auth/forgot-password) if your e-mail address is older than seven days. lock_door works.',
    );
    this.members = { until: until.toISOString() };
  }
}

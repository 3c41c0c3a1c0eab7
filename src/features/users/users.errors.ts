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

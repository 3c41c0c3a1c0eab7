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

/** For callers that bring no validated request. */
export class InvalidAccountError extends DomainError {
  readonly code = 'invalid_account';
  readonly kind = 'unprocessable';

  constructor(override readonly errors: readonly FieldError[]) {
    super('This cannot be an account.');
  }
}

export class UserNotFoundError extends DomainError {
  readonly code = 'user_not_found';
  readonly kind = 'not_found';

  constructor(userId: string) {
    super('There is no such person.', { userId });
  }
}

/** Somebody changed the account after the caller looked at it. */
export class AccountChangedError extends DomainError {
  readonly code = 'account_changed';
  readonly kind = 'precondition_failed';

  constructor() {
    super('The account has changed since. Look at it again before you change it.');
  }
}

/** Blocked already, not deleted, …: the change would change nothing. */
export class AccountStateError extends DomainError {
  readonly code = 'account_state';
  readonly kind = 'conflict';

  constructor(status: AccountStatus) {
    super(`The account is ${status}.`, { status });
  }
}

/** Nobody could manage accounts any more. */
export class LastAdminError extends DomainError {
  readonly code = 'last_admin';
  readonly kind = 'conflict';

  constructor(message = 'This is the last administrator who can act: it stays one.') {
    super(message);
  }
}

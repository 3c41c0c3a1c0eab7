import { DomainError, type FieldError } from '../../shared/domain-error.js';

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

  constructor(fault: string) {
    super('This password is not safe enough.');
    this.errors = [{ detail: fault, pointer: '/password' }];
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

import { DomainError, type FieldError, AsProblem } from '../../shared/domain-error.js';
import type { AccountStatus } from './users.types.js';

@AsProblem({
  code: 'email_taken',
  kind: 'conflict',
  meaning: 'The e-mail address belongs to another account.',
  cause: 'It was registered before, perhaps in another spelling.',
  cure: 'Use another address, or log in to the account that has it.',
})
export class EmailTakenError extends DomainError {
  override readonly errors: readonly FieldError[] = [
    { detail: '`email` belongs to another account', pointer: '/email' },
  ];

  constructor(options?: ErrorOptions) {
    super('There is an account with this e-mail address.', {}, options);
  }
}

@AsProblem({
  code: 'username_taken',
  kind: 'conflict',
  meaning: 'The username belongs to another account.',
  cause: 'It was chosen before, perhaps in another spelling.',
  cure: 'Choose another one.',
})
export class UsernameTakenError extends DomainError {
  override readonly errors: readonly FieldError[] = [
    { detail: '`username` belongs to another account', pointer: '/username' },
  ];

  constructor(options?: ErrorOptions) {
    super('This username is taken.', {}, options);
  }
}

@AsProblem(
  {
    code: 'weak_password',
    kind: 'unprocessable',
    meaning: 'The password is not safe enough.',
    cause: 'It is short, common, or can be guessed from what the account says of its owner.',
    cure: 'Choose one that takes more guesses; several unrelated words do.',
  },
  'is one of those that attackers try first; a few unrelated words make a good one',
)
export class WeakPasswordError extends DomainError {
  override readonly errors: readonly FieldError[];

  /** @param member what the request calls it. */
  constructor(fault: string, member = 'password') {
    super(`This password is not safe enough: it ${fault}.`);
    this.errors = [{ detail: `\`${member}\` ${fault}`, pointer: `/${member}` }];
  }
}

/** For callers without a validated request. */
@AsProblem(
  {
    code: 'invalid_account',
    kind: 'unprocessable',
    meaning: 'This is not a valid account.',
    cause: 'A member of an account in a list is missing or has the wrong shape.',
    cure: 'Correct the members that `errors` points at.',
  },
  [{ detail: 'email must be an e-mail address', pointer: '/email' }],
)
export class InvalidAccountError extends DomainError {
  constructor(override readonly errors: readonly FieldError[]) {
    super('This is not a valid account.');
  }
}

@AsProblem(
  {
    code: 'user_not_found',
    kind: 'not_found',
    meaning: 'There is no such account.',
    cause: 'The id is wrong, or the account was removed for good.',
    cure: 'Read the list again.',
  },
  '0198c1de-3f5b-7000-8000-3f3c0f6a7a55',
)
export class UserNotFoundError extends DomainError {
  constructor(userId: string) {
    super('There is no such person.', { userId });
  }
}

/** The account is not in the version that the caller wants to change. */
@AsProblem({
  code: 'account_changed',
  kind: 'precondition_failed',
  meaning: 'The account is not in the version that `If-Match` names.',
  cause: 'It was changed after you read it.',
  cure: 'Read it again, decide again, and send the change with the new `ETag`.',
})
export class AccountChangedError extends DomainError {
  constructor() {
    super('The account was changed in the meantime. Read it again before you change it.');
  }
}

/** The change does not fit the state: blocked already, not deleted, … */
@AsProblem(
  {
    code: 'account_state',
    kind: 'conflict',
    meaning: 'The account is not in a state that allows this.',
    cause: 'It is blocked, deleted or active already.',
    cure: 'Read the account; what you want may have happened.',
  },
  'blocked',
)
export class AccountStateError extends DomainError {
  constructor(status: AccountStatus) {
    super(`The account is ${status}.`, { status });
  }
}

/** No administrator who can sign in would be left. */
@AsProblem({
  code: 'last_admin',
  kind: 'conflict',
  meaning: 'The last administrator stays one.',
  cause: 'The change would leave no administrator who can act.',
  cure: 'Make another account an administrator first.',
})
export class LastAdminError extends DomainError {
  constructor(message = 'This is the last administrator who can act: it stays one.') {
    super(message);
  }
}

/** The person was signed in, and their account was blocked or deleted while the request was on its way. */
@AsProblem({
  code: 'account_cannot_act',
  kind: 'forbidden',
  meaning: 'The account was blocked or deleted while the request was under way.',
  cause: 'An administrator or the owner did so at the same moment.',
  cure: 'Stop, and log in again when the account may act.',
})
export class AccountCannotActError extends DomainError {
  constructor() {
    super('The account was blocked or deleted in the meantime.');
  }
}

/** An administrator reset the password of the account, or replaced its e-mail address, and may be the one who asks. */
@AsProblem(
  {
    code: 'unlock_restricted',
    kind: 'forbidden',
    meaning: 'The account unlocks no door for now.',
    cause: 'An administrator reset its password or replaced its e-mail address within the last 24 hours.',
    cure: 'Follow the link that was mailed when the password was chosen, or wait until `until`.',
  },
  new Date('2026-11-21T18:00:00.000Z'),
)
export class UnlockRestrictedError extends DomainError {
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

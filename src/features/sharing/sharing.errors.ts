import { NOT_FOUND } from '../../shared/common-problems.js';
import { DomainError, type FieldError, AsProblem } from '../../shared/domain-error.js';

@AsProblem(NOT_FOUND)
export class ShareNotFoundError extends DomainError {
  constructor() {
    super('There is no such share of this device.', { resource: 'share' });
  }
}

@AsProblem({
  code: 'already_shared',
  kind: 'conflict',
  meaning: 'The device is shared with this person.',
  cause: 'It was shared with this address before, or with this person by another one.',
  cure: 'Change the share that there is.',
})
export class AlreadySharedError extends DomainError {
  override readonly errors: readonly FieldError[] = [
    { detail: '`email` has a share of this device already', pointer: '/email' },
  ];

  constructor(options?: ErrorOptions) {
    super('The device is shared with this person already. Change that share instead.', {}, options);
  }
}

@AsProblem({
  code: 'share_with_self',
  kind: 'unprocessable',
  meaning: 'The address is yours.',
  cause: 'You have what you could give yourself.',
  cure: 'Name another person.',
})
export class ShareWithSelfError extends DomainError {
  override readonly errors: readonly FieldError[] = [{ detail: '`email` must be another person’s', pointer: '/email' }];

  constructor() {
    super('This address is your own.');
  }
}

@AsProblem(
  {
    code: 'too_many_shares',
    kind: 'conflict',
    meaning: 'No further share can be given.',
    cause:
      'The device has 100 shares, the address has 20 that you gave, or 1,000 of all people: as many as it may have.',
    cure: 'End shares that are not in use any more. Whoever needs many devices of one owner is made a member of its organization.',
  },
  'A device has at most 100 shares.',
)
export class TooManySharesError extends DomainError {
  constructor(limit: string) {
    super(`${limit} End some that are not in use any more.`);
  }
}

@AsProblem({
  code: 'share_changed',
  kind: 'precondition_failed',
  meaning: 'The share is not in the version that `If-Match` names.',
  cause: 'It was changed after you read it.',
  cure: 'Read it again, decide again, and send the change with the new `ETag`.',
})
export class ShareChangedError extends DomainError {
  constructor() {
    super('The share is not in the version that If-Match names. Read it again.');
  }
}

@AsProblem(
  {
    code: 'invalid_share_terms',
    kind: 'invalid',
    meaning: 'The time of the share makes no sense.',
    cause: 'It ends before it begins, is over already, has two schedules, or a recurrence rule that no week repeats.',
    cure: 'Correct what `errors` points at.',
  },
  [{ detail: '`until` must be later than `from`', pointer: '/until' }],
)
export class InvalidShareTermsError extends DomainError {
  constructor(override readonly errors: readonly [FieldError, ...FieldError[]]) {
    super(`The time of the share makes no sense: ${errors[0].detail}.`);
  }
}

/** The same answer for a token that is unknown, used, expired, revoked, or for another e-mail address. */
@AsProblem({
  code: 'invalid_share_invitation',
  kind: 'unprocessable',
  meaning: 'The invitation is not valid.',
  cause: 'It is unknown, was used, has ended, or is for another e-mail address.',
  cure: 'Sign in with the address that it was mailed to, or ask for a new one.',
})
export class InvalidShareInvitationError extends DomainError {
  override readonly errors: readonly FieldError[] = [
    { detail: '`token` is not valid, or not for you', pointer: '/token' },
  ];

  constructor() {
    super('This invitation to a device is not valid any more, or it is for another e-mail address.');
  }
}

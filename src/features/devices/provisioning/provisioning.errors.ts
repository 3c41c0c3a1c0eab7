import { AsProblem, DomainError, type FieldError } from '../../../shared/domain-error.js';

@AsProblem({
  code: 'invalid_claim_code',
  kind: 'unprocessable',
  meaning: 'No device can be claimed with this code.',
  cause: 'It was mistyped, used before, replaced by a newer one, or is for the account with another e-mail address.',
  cure: 'Read it again from the device or the mail. If it stays refused, ask the maker for a new one.',
})
export class InvalidClaimCodeError extends DomainError {
  override readonly errors: readonly FieldError[] = [
    { detail: '`code` claims no device for this account', pointer: '/code' },
  ];

  constructor() {
    super('No device can be claimed with this code by this account.');
  }
}

@AsProblem({
  code: 'provisioned_device_not_found',
  kind: 'not_found',
  meaning: 'There is no such device in your inventory.',
  cause: 'It was deleted, or another maker has loaded it.',
  cure: 'Read the list again.',
})
export class ProvisionedDeviceNotFoundError extends DomainError {
  constructor() {
    super('There is no such device in your inventory.');
  }
}

@AsProblem({
  code: 'already_claimed',
  kind: 'conflict',
  meaning: 'The device has an owner.',
  cause: 'It was claimed, perhaps at this moment.',
  cure: 'Leave it to its owner. Once they delete it, it is back in the inventory.',
})
export class AlreadyClaimedError extends DomainError {
  constructor() {
    super('The device has an owner. Only they can give it back.');
  }
}

@AsProblem(
  {
    code: 'unreadable_device_list',
    kind: 'invalid',
    meaning: 'This is no list of devices.',
    cause:
      'It is no CSV with a known header, no JSON with a list of objects or with one in each line, or has too many rows.',
    cure: 'Correct what `errors` names, and send it again. Nothing was stored.',
  },
  'has no column hardwareId',
  1,
)
export class UnreadableDeviceListError extends DomainError {
  override readonly errors: readonly FieldError[];

  constructor(detail: string, line: number) {
    super('This file cannot be read as a list of devices.');
    this.errors = [{ detail, pointer: `/${String(line)}` }];
  }
}

import { AsProblem, DomainError, type FieldError } from '../../../shared/domain-error.js';

@AsProblem({
  code: 'invalid_transfer',
  kind: 'unprocessable',
  meaning: 'There is no such offer for this account.',
  cause:
    'It was accepted, declined, cancelled or has expired, is for another e-mail address, or its sender cannot hand the device on any more.',
  cure: 'Ask the owner of the device to offer it again, to the e-mail address of your account.',
})
export class InvalidTransferError extends DomainError {
  constructor() {
    super('There is no such offer for this account any more.');
  }
}

@AsProblem({
  code: 'transfer_not_found',
  kind: 'not_found',
  meaning: 'There is no such offer of a device.',
  cause:
    'It was accepted, declined, cancelled or has expired, perhaps at this moment, or it is made to another person. With `REGISTRATION=open`, as under `npm start`, no offer is answered by its id: an account need not have its e-mail address then.',
  cure: 'Read the device, or the list of offers, again. With `REGISTRATION=open`, send the token that was mailed to `POST /devices/transfers/accept` or `/decline`.',
})
export class TransferNotFoundError extends DomainError {
  constructor() {
    super('There is no such offer (any more).');
  }
}

@AsProblem({
  code: 'transfer_pending',
  kind: 'conflict',
  meaning: 'The device is offered to a person already.',
  cause: 'An earlier offer is open.',
  cure: 'Wait for the answer, or cancel it with `DELETE /devices/{deviceId}/transfer`.',
})
export class TransferPendingError extends DomainError {
  constructor() {
    super('The device is offered to a person already. Cancel that first.');
  }
}

@AsProblem({
  code: 'device_already_yours',
  kind: 'conflict',
  meaning: 'The device is yours already.',
  cause: 'The e-mail address is the one of your own account.',
  cure: 'Give the address of the person who is to have it.',
})
export class DeviceAlreadyYoursError extends DomainError {
  override readonly errors: readonly FieldError[] = [
    { detail: '`email` is the address of your own account', pointer: '/email' },
  ];

  constructor() {
    super('The device is yours already.');
  }
}

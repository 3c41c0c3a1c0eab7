import { AsProblem, DomainError } from '../../../shared/domain-error.js';

@AsProblem({
  code: 'invalid_activation_code',
  kind: 'unprocessable',
  meaning: 'The device is not activated by this code.',
  cause:
    'The code is wrong, was used, has expired after 24 hours, was replaced by a newer one, or is of a person who does not have `admin` of the device any more; or the device is unknown.',
  cure: 'Ask for a new code with `POST /devices/{deviceId}/activation-code`.',
})
export class InvalidActivationCodeError extends DomainError {
  constructor() {
    super('The device is not activated by this code.');
  }
}

@AsProblem({
  code: 'activation_code_not_found',
  kind: 'not_found',
  meaning: 'The device has no valid activation code.',
  cause: 'None was asked for in the last 24 hours, or it was used.',
  cure: 'Ask for one with `POST /devices/{deviceId}/activation-code`, and read the QR code again.',
})
export class ActivationCodeNotFoundError extends DomainError {
  constructor() {
    super('The device has no valid activation code.');
  }
}

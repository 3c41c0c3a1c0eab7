import { DomainError, AsProblem } from '../../shared/domain-error.js';

/** A device names a new boot id more often than a device can restart. */
@AsProblem({
  code: 'too_many_boots',
  kind: 'too_many',
  meaning: 'The device names new boot ids more often than a device can restart.',
  cause: 'A firmware makes a new boot id for each connection, or a device restarts again and again.',
  cure: 'Make one boot id for each start of the device. Wait, and connect again.',
})
export class TooManyBootsError extends DomainError {
  constructor() {
    super('The device has reported too many boot ids in a short time.');
  }
}

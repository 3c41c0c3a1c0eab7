import { DomainError } from '../../shared/domain-error.js';

/** A device names a new boot id more often than a device can restart. */
export class TooManyBootsError extends DomainError {
  readonly code = 'too_many_boots';
  readonly kind = 'too_many';

  constructor() {
    super('The device has reported too many boot ids in a short time.');
  }
}

import { DomainError } from '../../shared/domain-error.js';

/** Locks take a set of so many keys at most; one more, and they would keep the set they have. */
export class TooManyKeysError extends DomainError {
  readonly code = 'too_many_signing_keys';
  readonly kind = 'conflict';

  constructor(purpose: string) {
    super('Too many earlier keys still verify. Rotate again when the oldest of them has retired.', { purpose });
  }
}

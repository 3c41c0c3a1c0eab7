import { DomainError } from '../../shared/domain-error.js';

export class SigningKeyNotFoundError extends DomainError {
  readonly code = 'signing_key_not_found';
  readonly kind = 'not_found';

  constructor(kid: string) {
    super('There is no such signing key.', { kid });
  }
}

/** What would sign then? */
export class SigningKeyInUseError extends DomainError {
  readonly code = 'signing_key_in_use';
  readonly kind = 'conflict';

  constructor(kid: string) {
    super('This key signs at present. Rotate first, then retire it.', { kid });
  }
}

export class SigningKeyRetiredError extends DomainError {
  readonly code = 'signing_key_retired';
  readonly kind = 'conflict';

  constructor(kid: string) {
    super('This key is retired already.', { kid });
  }
}

/** Locks take a set of so many keys at most; one more, and they would keep the set they have. */
export class TooManyKeysError extends DomainError {
  readonly code = 'too_many_signing_keys';
  readonly kind = 'conflict';

  constructor(purpose: string) {
    super('Too many earlier keys still verify. Rotate again when the oldest of them has retired.', { purpose });
  }
}

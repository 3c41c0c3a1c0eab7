import { DomainError, AsProblem } from '../../shared/domain-error.js';

@AsProblem(
  {
    code: 'signing_key_not_found',
    kind: 'not_found',
    meaning: 'There is no such signing key.',
    cause: 'The key id is wrong, or the key was removed.',
    cure: 'Read the list of keys.',
  },
  '2026-11-20-b7f1',
)
export class SigningKeyNotFoundError extends DomainError {
  constructor(kid: string) {
    super('There is no such signing key.', { kid });
  }
}

/** What would sign then? */
@AsProblem(
  {
    code: 'signing_key_in_use',
    kind: 'conflict',
    meaning: 'The key signs at present.',
    cause: 'A key in use cannot be retired.',
    cure: 'Rotate first, then retire it.',
  },
  '2026-11-20-b7f1',
)
export class SigningKeyInUseError extends DomainError {
  constructor(kid: string) {
    super('This key signs at present. Rotate first, then retire it.', { kid });
  }
}

@AsProblem(
  {
    code: 'signing_key_retired',
    kind: 'conflict',
    meaning: 'The key is retired.',
    cause: 'It was retired before.',
    cure: 'Nothing is to be done.',
  },
  '2026-11-20-b7f1',
)
export class SigningKeyRetiredError extends DomainError {
  constructor(kid: string) {
    super('This key is retired already.', { kid });
  }
}

/** Locks take a set of so many keys at most; one more, and they would keep the set they have. */
@AsProblem(
  {
    code: 'too_many_signing_keys',
    kind: 'conflict',
    meaning: 'Too many earlier keys still verify.',
    cause: 'Locks take a key set of a bounded size.',
    cure: 'Rotate again when the oldest of them has retired.',
  },
  'access_token',
)
export class TooManyKeysError extends DomainError {
  constructor(purpose: string) {
    super('Too many earlier keys still verify. Rotate again when the oldest of them has retired.', { purpose });
  }
}

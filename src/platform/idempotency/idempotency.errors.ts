import { DomainError, AsProblem } from '../../shared/domain-error.js';

@AsProblem({
  code: 'idempotency_key_required',
  kind: 'invalid',
  meaning: 'The request needs an `Idempotency-Key`.',
  cause: 'The header is missing.',
  cure: 'Make a new random key for each intention, and send the same key with every retry of it.',
})
export class IdempotencyKeyRequiredError extends DomainError {
  constructor() {
    super('This request needs an Idempotency-Key header, so that a retry can never do it twice.');
  }
}

@AsProblem({
  code: 'invalid_idempotency_key',
  kind: 'invalid',
  meaning: 'The `Idempotency-Key` is not valid.',
  cause: 'It is empty, longer than 128 characters, or has blanks or other than ASCII characters.',
  cure: 'Use a random UUID.',
})
export class InvalidIdempotencyKeyError extends DomainError {
  constructor() {
    super('Idempotency-Key takes 1 to 128 visible ASCII characters.');
  }
}

@AsProblem({
  code: 'idempotency_key_in_use',
  kind: 'conflict',
  meaning: 'The first request with this `Idempotency-Key` is still running.',
  cause: 'A retry came before the first request was answered.',
  cure: 'Wait as long as `Retry-After` says, and send the same request again.',
})
export class IdempotencyKeyInUseError extends DomainError {
  constructor() {
    super('The first request with this Idempotency-Key is still running.', { retryAfter: 1 });
  }
}

@AsProblem({
  code: 'idempotency_key_reused',
  kind: 'unprocessable',
  meaning: 'The `Idempotency-Key` was used with another request.',
  cause: 'Method, route or body differ from those of the first request with this key.',
  cure: 'Make a new key for each new intention.',
})
export class IdempotencyKeyReusedError extends DomainError {
  constructor() {
    super('This Idempotency-Key was used with another request.');
  }
}

import { DomainError } from '../../shared/domain-error.js';

export class IdempotencyKeyRequiredError extends DomainError {
  readonly code = 'idempotency_key_required';
  readonly kind = 'invalid';
  constructor() {
    super('This request needs an Idempotency-Key header, so that a retry can never do it twice.');
  }
}

export class InvalidIdempotencyKeyError extends DomainError {
  readonly code = 'invalid_idempotency_key';
  readonly kind = 'invalid';
  constructor() {
    super('Idempotency-Key takes 1 to 128 visible ASCII characters.');
  }
}

export class IdempotencyKeyInUseError extends DomainError {
  readonly code = 'idempotency_key_in_use';
  readonly kind = 'conflict';
  constructor() {
    super('The first request with this Idempotency-Key is still running.', { retryAfter: 1 });
  }
}

export class IdempotencyKeyReusedError extends DomainError {
  readonly code = 'idempotency_key_reused';
  readonly kind = 'unprocessable';
  constructor() {
    super('This Idempotency-Key was used with another request.');
  }
}

import { DomainError } from '../../../shared/domain-error.js';

export class InvalidIfMatchError extends DomainError {
  readonly code = 'invalid_if_match';
  readonly kind = 'invalid';

  constructor() {
    super('If-Match takes one or more entity tags in double quotes, as ETag serves them, or * (RFC 9110).');
  }
}

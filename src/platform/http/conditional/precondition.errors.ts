import { DomainError } from '../../../shared/domain-error.js';

export class InvalidIfMatchError extends DomainError {
  readonly code = 'invalid_if_match';
  readonly kind = 'invalid';

  constructor() {
    super('If-Match takes one or more entity tags in double quotes, as ETag serves them, or * (RFC 9110).');
  }
}

/** Something on the way made the tags weak, as compression by a proxy does. */
export class WeakEntityTagError extends DomainError {
  readonly code = 'weak_entity_tag';
  readonly kind = 'precondition_failed';

  constructor() {
    super('A weak entity tag (W/"…") matches nothing in If-Match (RFC 9110). Send it without the W/.');
  }
}

import { DomainError } from '../../shared/domain-error.js';

/** The log was restored since, so what followed the cursor is unknown. */
export class CursorExpiredError extends DomainError {
  readonly code = 'cursor_expired';
  readonly kind = 'invalid';

  constructor() {
    super('The cursor belongs to an earlier generation of the log. Read the current state, then start from there.');
  }
}

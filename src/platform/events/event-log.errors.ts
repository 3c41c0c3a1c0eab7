import { DomainError } from '../../shared/domain-error.js';

export class InvalidCursorError extends DomainError {
  readonly code = 'invalid_cursor';
  readonly kind = 'invalid';
  override readonly errors = [{ detail: 'is not a cursor of this log', pointer: '/cursor' }];

  constructor() {
    super('The cursor is not one that this service gave out.');
  }
}

/** The log was restored since, so what followed the cursor is unknown. */
export class CursorExpiredError extends DomainError {
  readonly code = 'cursor_expired';
  readonly kind = 'invalid';

  constructor() {
    super('The cursor belongs to an earlier generation of the log. Read the current state, then start from there.');
  }
}

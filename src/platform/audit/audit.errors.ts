import { DomainError, type FieldError } from '../../shared/domain-error.js';

/** A mistake of ours: a change was about to be committed without its audit entry. */
export class UnauditedChangeError extends DomainError {
  readonly code = 'unaudited_change';
  readonly kind = 'internal';
  constructor(action: string) {
    super(`A transaction of "${action}" recorded nothing in the audit trail.`);
  }
}

export class InvalidAuditCursorError extends DomainError {
  readonly code = 'invalid_cursor';
  readonly kind = 'invalid';
  override readonly errors: readonly FieldError[] = [{ detail: 'is not a cursor of this list', pointer: '/cursor' }];

  constructor() {
    super('The cursor is not one that this list gave out.');
  }
}

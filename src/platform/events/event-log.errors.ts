import { DomainError, AsProblem } from '../../shared/domain-error.js';

/** The log was restored since, so what followed the cursor is unknown. */
@AsProblem({
  code: 'cursor_expired',
  kind: 'invalid',
  meaning: 'The cursor belongs to an earlier generation of the event log.',
  cause: 'The database was restored from a backup since.',
  cure: 'Read the present state, then start from the cursor that comes with it.',
})
export class CursorExpiredError extends DomainError {
  constructor() {
    super('The cursor belongs to an earlier generation of the log. Read the current state, then start from there.');
  }
}

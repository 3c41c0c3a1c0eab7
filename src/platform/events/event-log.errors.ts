import { DomainError, AsProblem } from '../../shared/domain-error.js';

/** What followed the cursor is unknown: the log was restored since, or something of it is not kept any more. */
@AsProblem({
  code: 'cursor_expired',
  kind: 'invalid',
  meaning: 'The cursor belongs to an earlier generation of the event log, or to a part of it that is no longer kept.',
  cause:
    'The database was restored from a backup since, or the cursor is older than events are kept (`RETENTION_EVENTS`).',
  cure: 'Read the present state, then start from the cursor that comes with it.',
})
export class CursorExpiredError extends DomainError {
  constructor() {
    super(
      'The cursor belongs to an earlier generation of the log, or to a part of it that is no longer kept. Read the current state, then start from there.',
    );
  }
}

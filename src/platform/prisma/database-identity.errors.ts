import { OperatorError } from '../../shared/operator-error.js';

/** How a database gets its own log again; the same line wherever it is refused. */
const REMEDY =
  'If it was restored, copied or moved, stop every process and run `npm run db:adopt` (in the image: `node dist/src/adopt.js`); ' +
  'see "Backup and restore" in docs/operations.md.';

/** The database is not the one that its event log was written in, so nothing may be read from it or written to it. */
export class ForeignDatabaseError extends OperatorError {
  constructor(readonly reason: string) {
    super(`This database does not continue its event log: ${reason}. ${REMEDY}`);
    this.name = 'ForeignDatabaseError';
  }
}

/** The role of `DATABASE_URL` may not ask which cluster this is. */
export class ClusterUnknownError extends OperatorError {
  constructor(cause: unknown) {
    super('The database role may not ask which cluster this is: GRANT EXECUTE ON FUNCTION pg_control_system() TO it.', {
      cause,
    });
    this.name = 'ClusterUnknownError';
  }
}

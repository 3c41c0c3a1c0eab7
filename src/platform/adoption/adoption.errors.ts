import { DomainError, AsProblem } from '../../shared/domain-error.js';

/** Others are connected to the database: processes of the application, which would go on with what they hold of it, or the restore itself. */
@AsProblem(
  {
    code: 'database_in_use',
    kind: 'conflict',
    meaning: 'The database has other clients.',
    cause: '`npm run db:adopt` was called while others were connected.',
    cure: 'Stop every process of Mortise and close every other connection.',
  },
  ['mortise (pid 4711)'],
)
export class DatabaseInUseError extends DomainError {
  constructor(clients: readonly string[]) {
    super(`Stop every process of Mortise, and close every other connection to this database: ${clients.join(', ')}.`);
  }
}

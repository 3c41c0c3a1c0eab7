import { DomainError } from '../../shared/domain-error.js';

/** Others are connected to the database: processes of the application, which would go on with what they hold of it, or the restore itself. */
export class DatabaseInUseError extends DomainError {
  readonly code = 'database_in_use';
  readonly kind = 'conflict';

  constructor(clients: readonly string[]) {
    super(`Stop every process of Mortise, and close every other connection to this database: ${clients.join(', ')}.`);
  }
}

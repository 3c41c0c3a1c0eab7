import { DomainError } from '../../shared/domain-error.js';

/** Processes of the application are connected to the database, and would go on with what they hold of it. */
export class DatabaseInUseError extends DomainError {
  readonly code = 'database_in_use';
  readonly kind = 'conflict';

  constructor(processes: readonly string[]) {
    super(`Stop every process of Mortise first: ${processes.join(', ')} use this database.`);
  }
}

import { messageOfError } from '../../../shared/error-message.js';
import { OperatorError } from '../../../shared/operator-error.js';

/** Nothing was changed. */
export class MigrationError extends OperatorError {}

/** The database cannot be reached, or does not let this account in. */
export class DatabaseUnreachableError extends OperatorError {
  constructor(database: string, cause: unknown) {
    super(`PostgreSQL does not answer (${database}): ${messageOfError(cause)}`, { cause });
    this.name = 'DatabaseUnreachableError';
  }
}

/** What is missing in the database, or is too much, so that this code does not run on it. */
export class UnfitDatabaseError extends OperatorError {}

import { OperatorError } from '../../src/shared/operator-error.js';

/** As it is thrown by the tools. */
export class Failure extends OperatorError {}

/** What to print for anything that was thrown. */
export function describeFailure(error: unknown): string {
  if (error instanceof OperatorError) {
    return error.message;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

import { ConfigurationError } from '../../src/config/load-config.js';

/** Something the person at the keyboard can put right: shown as its message alone, without a stack trace. */
export class Failure extends Error {}

/** What to print for anything that was thrown. */
export function describeFailure(error: unknown): string {
  if (error instanceof Failure || error instanceof ConfigurationError) {
    return error.message;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

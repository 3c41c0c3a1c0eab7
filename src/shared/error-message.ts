/**
 * What an error says, for a line that needs no stack trace: a dependency that is away is no fault of the code. A host with
 * several addresses gives one error for each, under an empty message.
 */
export function messageOfError(error: unknown): string {
  if (error instanceof AggregateError) {
    return error.errors.map(messageOfError).join(', ');
  }
  return error instanceof Error ? error.message : String(error);
}

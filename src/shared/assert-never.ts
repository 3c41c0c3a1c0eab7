/** The compiler proves that this is not reached; at run time it says what slipped through. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected value: ${JSON.stringify(value)}`);
}

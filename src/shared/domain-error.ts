/** What went wrong, in terms every transport can translate. */
export const ERROR_KINDS = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'precondition_failed',
  'unprocessable',
  'too_many',
  'unavailable',
  'internal',
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** One fault in a request: `pointer` is a JSON Pointer (RFC 6901) to the member at fault. */
export interface FieldError {
  detail: string;
  pointer: string;
}

/**
 * A refusal with a stable code. Services throw these; each transport renders them (HTTP: RFC 9457). `details` may be
 * shown to the caller, so nothing secret belongs there.
 */
export abstract class DomainError extends Error {
  /** Stable, snake_case: clients branch on it. */
  abstract readonly code: string;
  abstract readonly kind: ErrorKind;
  /** Faults by field, for `invalid` and `unprocessable`. */
  readonly errors?: readonly FieldError[];
  /** Further members of the problem document (RFC 9457, section 3.2), for the caller alone: never logged. */
  readonly members?: Readonly<Record<string, string>>;

  constructor(
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** What went wrong, in terms every transport can translate. */
export const ERROR_KINDS = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'gone',
  'precondition_failed',
  'range_not_satisfiable',
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

/** What is true of every refusal with one code, for the people who write clients. Each text is one or two sentences. */
export interface ProblemText {
  /** What the refusal says. */
  readonly meaning: string;
  /** How a client comes to get it. */
  readonly cause: string;
  /** What to do about it. */
  readonly cure: string;
}

/** A kind of problem (RFC 9457, section 3.1.1). */
export interface ProblemType extends ProblemText {
  /** Stable, snake_case: clients branch on it. */
  readonly code: string;
  readonly kind: ErrorKind;
}

/**
 * A refusal with a stable code: its class is decorated with `@AsProblem`. Services throw these; each transport renders them
 * (HTTP: RFC 9457). `details` may be shown to the caller, so nothing secret belongs there.
 */
export abstract class DomainError extends Error {
  declare readonly code: string;
  declare readonly kind: ErrorKind;
  /** Faults by field, for `invalid` and `unprocessable`. */
  readonly errors?: readonly FieldError[];
  /** Further members of the problem document (RFC 9457, section 3.2), for the caller alone: never logged. */
  readonly members?: Readonly<Record<string, string>>;
  /** Of an access token that does not stand: `error_description` of the challenge (RFC 6750, section 3). */
  readonly challenge?: string;

  constructor(
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
    // Of the prototype; as properties of its own, logs have them.
    const { code, kind } = this;
    Object.assign(this, { code, kind });
  }
}

type ErrorClass<A extends unknown[]> = new (...args: A) => DomainError;

const types = new Map<string, ProblemType>();
const examples = new Map<unknown, () => DomainError>();

/**
 * Gives a class of errors its code, and documents it: at `GET /problems/:code`, in the OpenAPI document, and in
 * docs/problems.md. Classes that share a code share the one object that describes it.
 * @param example the arguments of the constructor for the error that the documentation shows.
 */
export function AsProblem<A extends unknown[]>(type: ProblemType, ...example: A): (target: ErrorClass<A>) => void {
  return (target) => {
    const { code, kind } = type;
    if ((types.get(code) ?? type) !== type) {
      throw new Error(`The problem "${code}" is described twice.`);
    }
    types.set(code, type);
    examples.set(target, () => new target(...example));
    Object.defineProperties(target.prototype, {
      code: { value: code, writable: true },
      kind: { value: kind, writable: true },
    });
  };
}

/** Every kind of problem of the classes that were loaded. */
export function problemTypes(): readonly ProblemType[] {
  return [...types.values()];
}

/** An error of the class as it could be thrown. */
export function exampleOf(target: abstract new (...args: never[]) => DomainError): DomainError {
  const example = examples.get(target);
  if (!example) {
    throw new Error(`${target.name} has no @AsProblem.`);
  }
  return example();
}

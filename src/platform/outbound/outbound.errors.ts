/** What an answer may say of a call that failed: neither an address that a name has, nor what listens where. */
const MESSAGES = {
  address_not_allowed: 'The address is not allowed: it must be a public one, and each address that its name has.',
  name_not_found: 'The name of the host has no address.',
  connection_failed: 'The connection could not be made, or broke before the answer was whole.',
  tls_failed: 'No secure connection came about.',
  timed_out: 'The answer was not whole in time.',
  redirected: 'The answer leads to another address. Redirects are not followed: give the final address.',
  aborted: 'The call was given up.',
  invalid_answer: 'The answer is not one of HTTP/1.1, or its headers are larger than 16 KiB.',
} as const;

export type OutboundReason = keyof typeof MESSAGES;

/** A call to an address of a user brought no answer. Its message may be shown to that user. */
export class OutboundError extends Error {
  /** @param message one that says more than the reason does, and nothing of the inside */
  constructor(
    readonly reason: OutboundReason,
    message: string = MESSAGES[reason],
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** A defect of the caller: which headers a call has is decided by code. */
export class InvalidOutboundHeaderError extends Error {
  constructor(name: string) {
    super(`${JSON.stringify(name.slice(0, 100))} is no header that a caller may give.`);
    this.name = new.target.name;
  }
}

import { DomainError, type FieldError, AsProblem } from '../../shared/domain-error.js';

/** A strict member in the `data` of an event is no good. */
@AsProblem(
  {
    code: 'invalid_event_data',
    kind: 'invalid',
    meaning: 'An event of a device does not have the documented data.',
    cause: 'A strict member of `data` is missing or has the wrong shape.',
    cure: 'Correct the members that `errors` points at; docs/protocol.md has the table.',
  },
  [{ detail: 'method must be one of app, code, card, fingerprint, key, auto', pointer: '/events/0/data/method' }],
)
export class InvalidEventDataError extends DomainError {
  constructor(override readonly errors: readonly FieldError[]) {
    super('An event does not have the documented data.');
  }
}

@AsProblem({
  code: 'invalid_time_range',
  kind: 'invalid',
  meaning: 'The time range is empty.',
  cause: '`to` is not later than `from`.',
  cure: 'Exchange or correct the two.',
})
export class InvalidTimeRangeError extends DomainError {
  override readonly errors: readonly FieldError[] = [{ detail: '`to` must be later than `from`', pointer: '/to' }];

  constructor() {
    super('The time range is empty: `to` must be later than `from`.');
  }
}

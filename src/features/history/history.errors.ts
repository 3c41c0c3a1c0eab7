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

/** An event came before those that go before it, or the day of its device is used up. */
@AsProblem({
  code: 'event_not_stored',
  kind: 'conflict',
  meaning: 'The event was not stored.',
  cause: 'An event before it has not arrived, or the events of the day are used up.',
  cure: 'Keep it. Send the events again, in order, from the lowest `seq` that no receipt covers.',
})
export class EventNotStoredError extends DomainError {
  constructor() {
    super('The event was not stored: send again from the lowest that no receipt covers.', { retryAfter: 5 });
  }
}

import { DomainError, type FieldError } from '../../shared/domain-error.js';

/** A strict member in the `data` of an event is no good. */
export class InvalidEventDataError extends DomainError {
  readonly code = 'invalid_event_data';
  readonly kind = 'invalid';

  constructor(override readonly errors: readonly FieldError[]) {
    super('An event does not have the documented data.');
  }
}

export class InvalidTimeRangeError extends DomainError {
  readonly code = 'invalid_time_range';
  readonly kind = 'invalid';
  override readonly errors: readonly FieldError[] = [{ detail: 'to must be later than from', pointer: '/to' }];

  constructor() {
    super('The time range is empty.');
  }
}

import { AsProblem, DomainError, type FieldError } from '../../shared/domain-error.js';
import type { ExportFailure, ExportState } from './exports.types.js';

@AsProblem(
  {
    code: 'export_not_found',
    kind: 'not_found',
    meaning: 'You have no such export.',
    cause: 'The id is wrong, it was deleted, or it belongs to another person.',
    cure: 'Read the list of your exports.',
  },
  '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55',
)
export class ExportNotFoundError extends DomainError {
  constructor(exportId: string) {
    super('There is no such export.', { exportId });
  }
}

@AsProblem(
  {
    code: 'export_not_ready',
    kind: 'conflict',
    meaning: 'The export has no file: it is not completed.',
    cause: 'It is still under way, it failed, or it was cancelled; `detail` names its state.',
    cure: 'Follow its state until it is `COMPLETED`. Ask for a new export where it failed or was cancelled.',
  },
  'RUNNING',
)
export class ExportNotReadyError extends DomainError {
  constructor(state: ExportState, failure: ExportFailure | null = null) {
    super(`The export is ${state}${failure === null ? '' : ` (${failure})`}: it has no file.`);
  }
}

@AsProblem({
  code: 'export_expired',
  kind: 'gone',
  meaning: 'The file of the export is deleted.',
  cause: 'A file is kept for 24 hours.',
  cure: 'Ask for a new export.',
})
export class ExportExpiredError extends DomainError {
  constructor() {
    super('The file was deleted 24 hours after it was made. Ask for a new export.');
  }
}

@AsProblem({
  code: 'export_not_permitted',
  kind: 'forbidden',
  meaning: 'You may not see any more what is in the export.',
  cause: 'A device in it is not shared with you now, or you are no administrator any more.',
  cure: 'Ask for a new export of what you may see.',
})
export class ExportNotPermittedError extends DomainError {
  constructor() {
    super('You may not see all that is in this export. Ask for a new one.');
  }
}

@AsProblem(
  {
    code: 'export_ended',
    kind: 'conflict',
    meaning: 'The export has ended.',
    cause: 'Only what is waiting or under way can be cancelled; `detail` names its state.',
    cure: 'Delete it where its file is not wanted.',
  },
  'COMPLETED',
)
export class ExportEndedError extends DomainError {
  constructor(state: ExportState) {
    super(`The export is ${state}: there is nothing to cancel.`);
  }
}

@AsProblem({
  code: 'too_many_exports',
  kind: 'conflict',
  meaning: 'Too many of your exports wait.',
  cause: 'A person can have 10 exports that have not ended.',
  cure: 'Wait for one of them, or cancel one.',
})
export class TooManyExportsError extends DomainError {
  constructor() {
    super('10 of your exports have not ended yet. Wait for one of them, or cancel one.');
  }
}

/** What was asked for does not fit together. */
@AsProblem(
  {
    code: 'invalid_export',
    kind: 'invalid',
    meaning: 'What is to be exported does not fit together.',
    cause: 'A member does not belong to this type of export, a column is unknown, or the range of time is empty.',
    cure: 'Correct the members that `errors` points at.',
  },
  [{ detail: '`eventTypes` belongs to device_logs', pointer: '/eventTypes' }],
)
export class InvalidExportError extends DomainError {
  constructor(override readonly errors: readonly FieldError[]) {
    super('What is to be exported does not fit together.');
  }
}

@AsProblem({
  code: 'invalid_link',
  kind: 'forbidden',
  meaning: 'The link opens nothing.',
  cause: 'It is older than five minutes, or was changed.',
  cure: 'Ask for a new link.',
})
export class InvalidLinkError extends DomainError {
  constructor() {
    super('The link is older than five minutes, or was changed. Ask for a new one.');
  }
}

@AsProblem(
  {
    code: 'export_schedule_not_found',
    kind: 'not_found',
    meaning: 'You have no such schedule.',
    cause: 'The id is wrong, it was deleted, or it belongs to another person.',
    cure: 'Read the list of your schedules.',
  },
  '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c56',
)
export class ExportScheduleNotFoundError extends DomainError {
  constructor(scheduleId: string) {
    super('There is no such schedule.', { scheduleId });
  }
}

@AsProblem({
  code: 'too_many_export_schedules',
  kind: 'conflict',
  meaning: 'You have as many schedules as a person can have.',
  cause: 'A person can have 20 schedules.',
  cure: 'Delete one that is not needed.',
})
export class TooManyExportSchedulesError extends DomainError {
  constructor() {
    super('You have 20 schedules, as many as a person can have. Delete one.');
  }
}

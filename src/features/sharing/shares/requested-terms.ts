import type { FieldError } from '../../../shared/domain-error.js';
import { importRecurrence, RecurrenceError } from '../domain/recurrence-rule.js';
import { InvalidShareTermsError } from '../sharing.errors.js';
import type { ShareChanges } from '../sharing.types.js';
import type { ShareTimesDto } from './shares.dto.js';

/** What a request says of the time of a share; members that it left out are undefined. @throws InvalidShareTermsError */
export function requestedTimes(request: ShareTimesDto): Pick<ShareChanges, 'from' | 'until' | 'schedule'> {
  const { schedule, recurrence } = request;
  const [from, until] = [instantOf(request.from), instantOf(request.until)];
  if (recurrence === undefined) {
    return { ...given('from', from), ...given('until', until), ...given('schedule', schedule) };
  }
  if (schedule) {
    throw fault('`recurrence` and `schedule` say the same: give one of them', '/recurrence');
  }
  try {
    return {
      ...importRecurrence(recurrence.rule, recurrence.durationMinutes),
      ...given('from', from),
      ...given('until', until),
    };
  } catch (error) {
    throw error instanceof RecurrenceError ? fault(`\`rule\`: ${error.message}`, '/recurrence/rule') : error;
  }
}

function fault(detail: string, pointer: FieldError['pointer']): InvalidShareTermsError {
  return new InvalidShareTermsError([{ detail, pointer }]);
}

function instantOf(text: string | null | undefined): Date | null | undefined {
  return typeof text === 'string' ? new Date(text) : text;
}

function given<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}

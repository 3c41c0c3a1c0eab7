import type { FieldError } from '../../../shared/domain-error.js';
import { RecurrenceError } from '../domain/calendar-lines.js';
import { importRecurrence, type ImportedRecurrence } from '../domain/recurrence-rule.js';
import { InvalidShareTermsError } from '../sharing.errors.js';
import type { ShareChanges } from '../sharing.types.js';
import type { RecurrenceDto } from './schedule.dto.js';
import type { ShareTimesDto } from './shares.dto.js';

type RequestedTimes = Pick<ShareChanges, 'from' | 'until' | 'schedule'>;

/** What a request says of the time of a new share; members that it left out are undefined. @throws InvalidShareTermsError */
export function requestedTimes(request: ShareTimesDto): RequestedTimes {
  const { within, ...times } = requestedChanges(request);
  return { ...within, ...times };
}

/** What a request says of the time of a share that there is: the window of a rule stands apart. @throws InvalidShareTermsError */
export function requestedChanges(request: ShareTimesDto): RequestedTimes & Pick<ShareChanges, 'within'> {
  const { schedule, recurrence } = request;
  const times = { ...given('from', instantOf(request.from)), ...given('until', instantOf(request.until)) };
  if (recurrence === undefined) {
    return { ...times, ...given('schedule', schedule) };
  }
  if (schedule) {
    throw fault('`recurrence` and `schedule` say the same: give one of them', '/recurrence');
  }
  const { schedule: imported, ...within } = read(recurrence);
  return { ...times, schedule: imported, within };
}

function read({ rule, durationMinutes }: RecurrenceDto): ImportedRecurrence {
  try {
    return importRecurrence(rule, durationMinutes);
  } catch (error) {
    throw error instanceof RecurrenceError
      ? fault(`\`${error.member}\`: ${error.message}`, `/recurrence/${error.member}`)
      : error;
  }
}

/**
 * Judges the time of a request, where it is known. A rule that is over, or ends before `from`, is the fault of the rule, and not of an
 * `until` that was not sent. @throws InvalidShareTermsError
 */
export async function judged<T>(request: ShareTimesDto, judge: () => Promise<T>): Promise<T> {
  try {
    return await judge();
  } catch (error) {
    const isOfRule = request.recurrence !== undefined && request.until === undefined;
    throw error instanceof InvalidShareTermsError && isOfRule ? asFaultOfRule(error) : error;
  }
}

function asFaultOfRule({ errors: [first] }: InvalidShareTermsError): InvalidShareTermsError {
  const detail = `\`rule\`: ${first.detail.replace('`until`', 'the end of its last occurrence')}`;
  return first.pointer === '/until' ? fault(detail, '/recurrence/rule') : new InvalidShareTermsError([first]);
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

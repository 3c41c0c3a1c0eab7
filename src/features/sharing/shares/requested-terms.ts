import type { FieldError } from '../../../shared/domain-error.js';
import { RecurrenceError } from '../domain/calendar-lines.js';
import { importRecurrence } from '../domain/recurrence-rule.js';
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

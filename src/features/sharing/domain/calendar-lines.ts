const MAX_LENGTH = 1_000;
const LINE = /^([A-Z\d-]+)((?:;[A-Z\d-]+=(?:"[^"]*"|[^";:,]*))*):(.*)$/i;
const PARAMETER = /;([A-Z\d-]+)=(?:"([^"]*)"|([^";:,]*))/gi;
const PART = /^([A-Z\d-]+)=([\w,+-]*)$/i;

/** Why a rule cannot be a weekly schedule, in words for its author, and which member of the request is at fault. */
export class RecurrenceError extends Error {
  constructor(
    message: string,
    readonly member: 'rule' | 'durationMinutes' = 'rule',
  ) {
    super(message);
  }
}

/** What a line of a calendar says (RFC 5545, 3.1). Names of parameters are in capitals. */
export interface CalendarLine {
  readonly parameters: ReadonlyMap<string, string>;
  readonly value: string;
}

/**
 * Reads the lines of a calendar by their names, which are in capitals and come once each.
 * @param ignored lines that may be anything
 * @throws RecurrenceError
 */
export function readLines(text: string, ignored: RegExp): ReadonlyMap<string, CalendarLine> {
  // A line break that was pasted out of a JSON document may be its escape. A line that begins with a blank goes on with the one before.
  const unfolded = text
    .trim()
    .replaceAll(/\\n|\r\n?/g, '\n')
    .replaceAll(/\n[ \t]/g, '');
  if (unfolded.length > MAX_LENGTH) {
    refuse(`a rule has at most ${String(MAX_LENGTH)} characters`);
  }
  const lines = unfolded.split('\n').map((line) => line.trim());
  return onceEach(lines.filter((line) => line !== '' && !ignored.test(line)).map(readLine));
}

/** Reads the parts of a rule (RFC 5545, 3.3.10) by their names, which come once each; all in capitals. @throws RecurrenceError */
export function readParts(rule: string): ReadonlyMap<string, string> {
  return onceEach(
    rule.split(';').map((part) => {
      const [, name, value] = PART.exec(part) ?? [];
      return name === undefined || value === undefined ? malformed() : [name.toUpperCase(), value.toUpperCase()];
    }),
  );
}

/** What is not understood is never passed over: it might open a door. */
export function refuseOthers(names: Iterable<string>, understood: readonly string[]): void {
  const other = [...names].find((name) => !understood.includes(name));
  if (other !== undefined) {
    refuse(`${other.slice(0, 40)} cannot be said by a weekly schedule`);
  }
}

export function malformed(): never {
  return refuse('it is no recurrence rule of RFC 5545');
}

export function refuse(...[reason, member]: ConstructorParameters<typeof RecurrenceError>): never {
  throw new RecurrenceError(reason, member);
}

function readLine(line: string): [string, CalendarLine] {
  const [, name, parameters, value] = LINE.exec(line) ?? [];
  if (name === undefined || parameters === undefined || value === undefined) {
    return malformed();
  }
  const found = [...parameters.matchAll(PARAMETER)];
  const known = onceEach(
    found.map(([, parameter = '', quoted, plain = '']) => [parameter.toUpperCase(), quoted ?? plain]),
  );
  return [name.toUpperCase(), { parameters: known, value }];
}

/** Readers of calendars differ in which of two they take. */
function onceEach<V>(entries: readonly (readonly [string, V])[]): ReadonlyMap<string, V> {
  const values = new Map<string, V>();
  for (const [name, value] of entries) {
    if (values.has(name)) {
      refuse(`${name.slice(0, 40)} is there twice`);
    }
    values.set(name, value);
  }
  return values;
}

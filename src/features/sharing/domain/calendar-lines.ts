const MAX_LENGTH = 1_000;
/** Of names and values in a refusal. */
const SHOWN = 40;
const ENTRY = 'VEVENT';
/** What a component may have inside (RFC 5545, 3.6), and a text outside of any. */
const INSIDE: Readonly<Record<string, readonly string[]>> = {
  '': ['VCALENDAR', 'VTIMEZONE', ENTRY],
  VCALENDAR: ['VTIMEZONE', ENTRY],
  VTIMEZONE: ['STANDARD', 'DAYLIGHT'],
  [ENTRY]: ['VALARM'],
};
const BORDER = /^(BEGIN|END):(.*)$/i;
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
 * Reads the lines of an entry of a calendar, or of a rule by itself, by their names, which are in capitals and come once each.
 * @param passedOver lines that say nothing of when it is
 * @throws RecurrenceError
 */
export function readLines(text: string, passedOver: RegExp): ReadonlyMap<string, CalendarLine> {
  const { own, around } = linesOfEntry(splitLines(text.trim(), passedOver));
  const stray = around.find((line) => !passedOver.test(line));
  if (stray !== undefined) {
    refuse(`${stray.slice(0, SHOWN)} beside the entry cannot be taken`);
  }
  return onceEach(own.filter((line) => !passedOver.test(line)).map(readLine));
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
    refuse(`${other.slice(0, SHOWN)} cannot be said by a weekly schedule`);
  }
}

export function malformed(): never {
  return refuse('it is no recurrence rule of RFC 5545');
}

export function refuse(...[reason, member]: ConstructorParameters<typeof RecurrenceError>): never {
  throw new RecurrenceError(reason, member);
}

/** A line that begins with a blank goes on with the one before. */
function splitLines(text: string, passedOver: RegExp): string[] {
  // In a calendar, `\n` is a line break inside a text, and what follows it may be the words of another person.
  const isEscaped = !/[\r\n]/.test(text);
  const lineBreak = isEscaped ? /(?:\\r)?\\n/g : text.includes('\n') ? /\r?\n/g : /\r/g;
  const unfolded = text.replaceAll(lineBreak, '\n').replaceAll(/\n[ \t]/g, '');
  if (unfolded.length > MAX_LENGTH) {
    refuse(`a rule has at most ${String(MAX_LENGTH)} characters`);
  }
  const lines = unfolded.split('\n').map((line) => line.trim());
  if (isEscaped && lines.some((line) => BORDER.test(line) || passedOver.test(line))) {
    refuse(String.raw`it needs line breaks that are no \n: only a rule without any text may have those`);
  }
  return lines.filter((line) => line !== '');
}

/**
 * The lines of the one entry, and those around it. Alarms and definitions of zones have times and rules of their own, which are not those
 * of the entry: what a zone is, the IANA database says. A text without components is an entry.
 */
function linesOfEntry(lines: readonly string[]): { readonly own: string[]; readonly around: string[] } {
  const placed = placeLines(lines);
  const linesIn = (component: string): string[] =>
    placed.filter(({ line, within }) => within === component && !BORDER.test(line)).map(({ line }) => line);
  if (!lines.some((line) => BORDER.test(line))) {
    return { own: linesIn(''), around: [] };
  }
  const entries = placed.filter(({ line }) => line.toUpperCase() === `BEGIN:${ENTRY}`).length;
  if (entries !== 1) {
    refuse(`it must have one ${ENTRY}, and has ${String(entries)}`);
  }
  return { own: linesIn(ENTRY), around: [...linesIn(''), ...linesIn('VCALENDAR')] };
}

/** Each line with the component that it stands in. */
function placeLines(lines: readonly string[]): { readonly line: string; readonly within: string }[] {
  const open: string[] = [];
  const placed = lines.map((line) => {
    const within = open.at(-1) ?? '';
    const [, border, component = ''] = BORDER.exec(line.toUpperCase()) ?? [];
    if (border === 'BEGIN') {
      open.push(
        INSIDE[within]?.find((name) => name === component) ?? refuse(`${line.slice(0, SHOWN)} cannot be taken there`),
      );
    } else if (border !== undefined && open.pop() !== component) {
      refuse(`${line.slice(0, SHOWN)} is not the end of ${within === '' ? 'anything' : within}`);
    }
    return { line, within };
  });
  const [unended] = open;
  return unended === undefined ? placed : refuse(`END:${unended} is missing`);
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
      refuse(`${name.slice(0, SHOWN)} is there twice`);
    }
    values.set(name, value);
  }
  return values;
}

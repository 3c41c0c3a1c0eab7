/** A cell that begins with one of these is run as a formula by spreadsheets (OWASP, CSV injection); also in full width. */
const FORMULA_START = /^[\s\p{Cf}]*[=+\-@＝＋－＠]|^[\t\r\n]/u;
const NEEDS_QUOTES = /[",\r\n\t']/;
const LINE_END = '\r\n';

/** One line of CSV (RFC 4180), in which no cell is a formula: what looks like one gets an apostrophe in front. */
export function csvLine(cells: readonly (string | number | boolean | null)[]): string {
  return cells.map(csvCell).join(',') + LINE_END;
}

function csvCell(value: string | number | boolean | null): string {
  const text = value === null ? '' : String(value);
  const safe = typeof value === 'string' && FORMULA_START.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** What keeps a text from being CSV. */
export class MalformedCsvError extends Error {
  constructor(
    readonly line: number,
    problem: string,
  ) {
    super(problem);
  }
}

/** A record with the number of the line it begins on, counted from 1. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * Reads CSV (RFC 4180), with any line end and an optional byte order mark. Blank lines are skipped.
 * @throws MalformedCsvError
 */
export function parseCsv(text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  const source = text.replace(/^\uFEFF/, '');
  let line = 1;
  for (let at = 0; at < source.length;) {
    const start = line;
    const cells: string[] = [];
    for (let more = true; more;) {
      const cell = readCell(source, at, line);
      cells.push(cell.value);
      line += cell.lines;
      more = source[cell.end] === ',';
      at = more ? cell.end + 1 : cell.end;
    }
    if (cells.length > 1 || cells[0] !== '') {
      records.push({ line: start, cells });
    }
    at += source.startsWith('\r\n', at) ? 2 : 1;
    line += 1;
  }
  return records;
}

const PLAIN = /[^",\r\n]*/y;
const QUOTED = /"((?:[^"]|"")*)"/y;

function readCell(source: string, at: number, line: number): { value: string; end: number; lines: number } {
  const quoted = source[at] === '"';
  const pattern = quoted ? QUOTED : PLAIN;
  pattern.lastIndex = at;
  const match = pattern.exec(source);
  const end = pattern.lastIndex;
  if (!match || (end < source.length && !/[,\r\n]/.test(source.charAt(end)))) {
    throw new MalformedCsvError(line, 'a quote is missing, or stands where none may be');
  }
  const value = quoted ? (match[1] ?? '').replaceAll('""', '"') : match[0];
  return { value, end, lines: value.split(/\r\n|\r|\n/).length - 1 };
}

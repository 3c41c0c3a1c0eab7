import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';

type Cell = string | number | boolean | null;

/** With what a formula begins. */
export const FORMULA_SIGN = /[=+\-@＝＋－＠]/;
/** What spreadsheets skip in front of it, beside quotes: spaces, and characters that are invisible. */
export const SKIPPED_BEFORE_FORMULA = /[\s\p{Cf}]/u;
const FORMULA_AHEAD = `(?:${SKIPPED_BEFORE_FORMULA.source}|")*${FORMULA_SIGN.source}`;
/**
 * Spreadsheets run some cells as formulas (OWASP, CSV injection). The library escapes those that begin with the sign
 * itself; spreadsheets also skip something in front of it. And where they take another separator than ours for that of
 * their region, a cell of ours becomes many, and a quote within a line is a letter.
 */
const HIDDEN_FORMULA = new RegExp(`^(?=\\n)|(?<=^|[;\\t\\n]|\\r(?!\\n))(?=${FORMULA_AHEAD})`, 'gu');
/** The library quotes for its own delimiters alone; others would begin a cell or a record for some readers. */
const NEEDS_QUOTES = /[\r\n\t';]/;
const LINE_ENDS = ['\r\n', '\n', '\r'];
/** What spreadsheets separate cells with, by region; the first one where none stands in the line. */
const SEPARATORS = [',', ';', '\t'] as const;
/** The first line may name the separator; spreadsheets write and read it so. */
const SEPARATOR_LINE = /^\uFEFF?"?sep=(.?)"?\s*(?:[\r\n]|$)/iu;
const NAMED_SEPARATORS: readonly string[] = [...SEPARATORS, '|'];
const QUOTED = /"(?:[^"]|"")*"/g;
/** A cell or line with more in it than space and separators, be they those of another region. */
const FILLED = /[^\s,;]/;
const FILLED_LINE = /^.*[^\s,;].*$/m;

/** Lines of CSV (RFC 4180), in which no cell is a formula: what looks like one gets an apostrophe in front. */
export function csvLines(rows: readonly (readonly Cell[])[]): string {
  return stringify([...rows], {
    cast: { string: escapeHidden, boolean: String },
    escape_formulas: true,
    quoted_match: NEEDS_QUOTES,
    record_delimiter: '\r\n',
  });
}

/** One line, as `csvLines`. */
export function csvLine(cells: readonly Cell[]): string {
  return csvLines([cells]);
}

function escapeHidden(text: string): string {
  return text.replace(HIDDEN_FORMULA, "'");
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
 * Reads CSV (RFC 4180) as spreadsheets of any region write it: with any line end, an optional byte order mark, and cells
 * separated by commas, semicolons or tabs, as a first line `sep=;` or the first record shows; that line may also name `|`.
 * Lines with nothing but separators and space are skipped.
 * @throws MalformedCsvError with the line on which the record begins
 */
export function parseCsv(text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  const declared = SEPARATOR_LINE.exec(text)?.[1];
  if (declared !== undefined && !NAMED_SEPARATORS.includes(declared)) {
    throw new MalformedCsvError(1, 'sep= takes a comma, a semicolon, a tab or a vertical line');
  }
  const delimiter = declared ?? commonSeparator(text);
  let line = 1;
  // The library counts the lines within quoted cells twice when they end in CR LF, so they are counted here.
  const keep = (cells: string[]): null => {
    const isDeclaration = line === 1 && declared !== undefined;
    if (!isDeclaration && cells.some((cell) => FILLED.test(cell))) {
      records.push({ line, cells });
    }
    line += 1 + lineEndsIn(cells);
    return null;
  };
  try {
    parse(text, { bom: true, delimiter, relax_column_count: true, record_delimiter: LINE_ENDS, on_record: keep });
  } catch (error) {
    if (error instanceof CsvError) {
      throw new MalformedCsvError(line, 'a quote is missing, or stands where none may be');
    }
    throw error;
  }
  return records;
}

/** What stands most often in the first line that holds something, outside of quotes. */
function commonSeparator(text: string): string {
  const unquoted = text.replace(QUOTED, (cell) => (FILLED.test(cell.replaceAll('"', '')) ? 'x' : ''));
  const [first = ''] = FILLED_LINE.exec(unquoted) ?? [];
  const counts = SEPARATORS.map((separator) => first.split(separator).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? SEPARATORS[0];
}

function lineEndsIn(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => sum + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 0);
}

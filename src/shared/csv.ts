import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';

type Cell = string | number | boolean | null;

/**
 * Spreadsheets run some cells as formulas (OWASP, CSV injection). The library escapes those that begin with the sign
 * itself; spreadsheets also skip spaces and invisible characters in front of it.
 */
const HIDDEN_FORMULA = /^[\s\p{Cf}]+[=+\-@＝＋－＠]|^\n/u;
/** The library quotes for its own record delimiter alone, and any other line end would begin a record, too. */
const NEEDS_QUOTES = /[\r\n\t']/;
const LINE_ENDS = ['\r\n', '\n', '\r'];

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
  return HIDDEN_FORMULA.test(text) ? `'${text}` : text;
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
 * @throws MalformedCsvError with the line on which the record begins
 */
export function parseCsv(text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let line = 1;
  // The library counts the lines within quoted cells twice when they end in CR LF, so they are counted here.
  const keep = (cells: string[]): null => {
    if (cells.length > 1 || cells[0] !== '') {
      records.push({ line, cells });
    }
    line += 1 + lineEndsIn(cells);
    return null;
  };
  try {
    parse(text, { bom: true, relax_column_count: true, record_delimiter: LINE_ENDS, on_record: keep });
  } catch (error) {
    if (error instanceof CsvError) {
      throw new MalformedCsvError(line, 'a quote is missing, or stands where none may be');
    }
    throw error;
  }
  return records;
}

function lineEndsIn(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => sum + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 0);
}

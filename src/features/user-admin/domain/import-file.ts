import { type CsvRecord, MalformedCsvError, parseCsv } from '../../../shared/csv/csv.js';

/** The columns that a file may have, in any order and case. */
const COLUMNS = ['email', 'username', 'displayName', 'role'] as const;

/** One row of the file. */
export interface ImportRecord {
  readonly line: number;
  readonly values: Readonly<Record<string, unknown>>;
  /** What keeps this row from being read, and no other. */
  readonly fault?: string;
}

export type ImportFile =
  { readonly records: readonly ImportRecord[] } | { readonly fault: string; readonly line: number };

/**
 * Text is CSV whose first line names the columns; anything else is JSON: `{ "users": [ … ] }`. An empty cell leaves its
 * member out, as does one that a short row lacks: spreadsheets end a row with its last value.
 */
export function readImport(file: unknown = ''): ImportFile {
  return typeof file === 'string' ? readCsv(file) : readJson(file);
}

function readCsv(text: string): ImportFile {
  try {
    const [header, ...records] = parseCsv(text);
    if (!header) {
      return { fault: 'the file is empty', line: 1 };
    }
    const columns = header.cells.map((cell) => columnOf(cell.trim()));
    const fault = headerFault(columns);
    return fault === null
      ? { records: records.map((record) => toRecord(columns, record)) }
      : { fault, line: header.line };
  } catch (error) {
    if (error instanceof MalformedCsvError) {
      return { fault: error.message, line: error.line };
    }
    throw error;
  }
}

function columnOf(name: string): string {
  return COLUMNS.find((column) => column.toLowerCase() === name.toLowerCase()) ?? name;
}

/** A column without a name may stand there, as long as it is empty. */
function headerFault(columns: readonly string[]): string | null {
  const named = columns.filter((column) => column !== '');
  const unknown = named.find((column) => !COLUMNS.some((known) => known === column));
  if (unknown !== undefined) {
    return `has a column "${unknown.slice(0, 40)}"; there are ${COLUMNS.join(', ')}, separated by comma, semicolon or tab`;
  }
  const twice = named.find((column, index) => named.indexOf(column) !== index);
  if (twice !== undefined) {
    return `has the column ${twice} twice`;
  }
  return named.includes('email') ? null : 'has no column email';
}

function toRecord(columns: readonly string[], { line, cells }: CsvRecord): ImportRecord {
  const values: Record<string, unknown> = {};
  for (const [index, cell] of cells.entries()) {
    // Also the spaces that do not break, with which web pages and spreadsheets fill up.
    const value = cell.trim();
    const column = columns[index] ?? '';
    if (value !== '' && column === '') {
      return { line, values: {}, fault: `has a value in column ${String(index + 1)}, which has no name` };
    }
    if (value !== '') {
      values[column] = value;
    }
  }
  return { line, values };
}

function readJson(body: unknown): ImportFile {
  const users = (body as { users?: unknown } | null)?.users;
  if (!Array.isArray(users) || users.some((user) => typeof user !== 'object' || user === null || Array.isArray(user))) {
    return { fault: 'must be CSV, or JSON with a list of objects called users', line: 0 };
  }
  return { records: users.map((values: Record<string, unknown>, index) => ({ line: index + 1, values })) };
}

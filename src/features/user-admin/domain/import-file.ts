import { MalformedCsvError, parseCsv } from '../../../shared/csv.js';

/** One row of the file. */
export interface ImportRecord {
  readonly line: number;
  readonly values: Readonly<Record<string, unknown>>;
}

export type ImportFile =
  { readonly records: readonly ImportRecord[] } | { readonly fault: string; readonly line: number };

/** Text is CSV whose first line names the columns; anything else is JSON: `{ "users": [ … ] }`. An empty cell leaves its member out. */
export function readImport(file: unknown): ImportFile {
  return typeof file === 'string' ? readCsv(file) : readJson(file);
}

function readCsv(text: string): ImportFile {
  try {
    const [header, ...records] = parseCsv(text);
    if (!header) {
      return { fault: 'the file is empty', line: 1 };
    }
    const columns = header.cells.map((cell) => cell.trim());
    const odd = records.find(({ cells }) => cells.length !== columns.length);
    if (odd) {
      return { fault: `must have ${String(columns.length)} cells, as the header has`, line: odd.line };
    }
    return { records: records.map(({ line, cells }) => ({ line, values: valuesOf(columns, cells) })) };
  } catch (error) {
    if (error instanceof MalformedCsvError) {
      return { fault: error.message, line: error.line };
    }
    throw error;
  }
}

function valuesOf(columns: readonly string[], cells: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    columns.map((column, index) => [column, cells[index]] as const).filter(([, cell]) => cell !== ''),
  );
}

function readJson(body: unknown): ImportFile {
  const users = (body as { users?: unknown } | null)?.users;
  if (!Array.isArray(users) || users.some((user) => typeof user !== 'object' || user === null || Array.isArray(user))) {
    return { fault: 'must be CSV, or JSON with a list of objects called users', line: 0 };
  }
  return { records: users.map((values: Record<string, unknown>, index) => ({ line: index + 1, values })) };
}

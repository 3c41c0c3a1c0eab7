import type { ExportFileFormat, ExportType } from '../exports.types.js';
import { DATA_SETS } from './data-sets.js';
import type { ColumnKind, DataScope, Literal } from './data-set.types.js';

/** What PostgreSQL is to copy out, and how. */
export interface CopyStatement {
  readonly query: string;
  readonly options: string;
}

/** An expression as a cell of CSV; what PostgreSQL writes by itself costs least. `CopiedCsvReader` makes RFC 3339 of its times. */
const CELLS: Readonly<Record<ColumnKind, (sql: string) => string>> = {
  text: (sql) => sql,
  json: (sql) => sql,
  time: (sql) => sql,
  boolean: (sql) => `(${sql})::text`,
  value: (sql) => sql,
};

/**
 * Signs that JSON has only in escaped form: with them as quote and separator, PostgreSQL writes each document as it is, in a line of
 * its own.
 */
const PLAIN_LINES = `FORMAT csv, QUOTE E'\\x01', ESCAPE E'\\x01', DELIMITER E'\\x02'`;

/**
 * The rows of an export in the order of its data set. In CSV, every text is quoted: see `CopiedCsvReader`.
 * @param columns those of the data set where it is left out
 */
export function copyStatement(
  { type, format, columns }: { type: ExportType; format: ExportFileFormat; columns?: readonly string[] },
  scope: DataScope,
  literal: Literal,
): CopyStatement {
  const set = DATA_SETS[type];
  const chosen = (columns ?? Object.keys(set.columns)).map((name) => ({ name, column: set.columns[name] }));
  const cells = chosen.map(({ name, column: [kind, sql] = ['value', 'NULL'] }) => ({
    name: `"${name}"`,
    isQuoted: kind === 'text' || kind === 'json',
    sql: format === 'csv' ? cellOf(kind, sql, chosen.length === 1) : sql,
  }));
  const rows = `SELECT ${cells.map(({ name, sql }) => `${sql} AS ${name}`).join(', ')} ${set.from(scope, literal)}`;
  if (format !== 'csv') {
    return { query: `SELECT row_to_json(r)::text FROM (${rows}) r`, options: PLAIN_LINES };
  }
  const quoted = cells.filter(({ isQuoted }) => isQuoted).map(({ name }) => name);
  return {
    query: rows,
    options: ['FORMAT csv', 'HEADER', ...(quoted.length > 0 ? [`FORCE_QUOTE (${quoted.join(', ')})`] : [])].join(', '),
  };
}

/** A row that has nothing but an empty cell is `""`: a blank line is no row to those who read CSV. PostgreSQL leaves what is null blank. */
function cellOf(kind: ColumnKind, sql: string, isAlone: boolean): string {
  return isAlone ? `coalesce((${CELLS[kind](sql)})::text, '')` : CELLS[kind](sql);
}

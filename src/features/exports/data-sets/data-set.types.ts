import type { CoveredDevice } from '../exports.types.js';

/**
 * What a column holds, by which it is written. `text`: what people or devices wrote, so it may be anything. `json`: a document.
 * `time`: an instant. `value`: a number, an id or a name of ours, in which nothing needs quotes.
 */
export type ColumnKind = 'text' | 'json' | 'time' | 'boolean' | 'value';

/** Columns by name, in their order: their kind, and their expression in SQL. */
export type Columns = Readonly<Record<string, readonly [kind: ColumnKind, sql: string]>>;

/** What an export covers. Every part was checked before. */
export interface DataScope {
  readonly userId: string;
  readonly devices: readonly CoveredDevice[];
  /** Events before this position of the log. */
  readonly endXid: string;
  readonly eventTypes?: readonly string[];
  /** RFC 3339. */
  readonly from?: string;
  /** RFC 3339. */
  readonly until?: string;
  readonly timeZone: string;
}

/** COPY takes no parameters: `literal` makes SQL of a text, and puts quotes around it. */
export type Literal = (text: string) => string;

/** Rows of an export. */
export interface DataSet {
  readonly columns: Columns;
  /** `FROM …` with the order of the rows. Columns refer to what it names. */
  readonly from: (scope: DataScope, literal: Literal) => string;
}

/** The ids of the devices as an array in SQL. */
export function deviceIds({ devices }: DataScope, literal: Literal): string {
  return `${literal(`{${devices.map(({ id }) => id).join(',')}}`)}::uuid[]`;
}

/** Conditions on a time. */
export function timeConditions(column: string, { from, until }: DataScope, literal: Literal): string[] {
  return [
    ...(from === undefined ? [] : [`${column} >= ${literal(from)}::timestamptz`]),
    ...(until === undefined ? [] : [`${column} < ${literal(until)}::timestamptz`]),
  ];
}

/** A row `(id, at)` for each device that had another owner: what happened before is that owner's. Null where there is none. */
export function handedOn({ devices }: DataScope, literal: Literal): string | null {
  const rows = devices.flatMap(({ id, from }) =>
    from === null ? [] : [`(${literal(id)}::uuid, ${literal(from)}::timestamptz)`],
  );
  return rows.length > 0 ? `(VALUES ${rows.join(', ')}) AS o(id, at)` : null;
}

/** The devices as a table `n(id, name)`. */
export function namedDevices({ devices }: DataScope, literal: Literal): string {
  const rows = devices.map(({ id, name }) => ({ id, name }));
  return `jsonb_to_recordset(${literal(JSON.stringify(rows))}::jsonb) AS n(id uuid, name text)`;
}

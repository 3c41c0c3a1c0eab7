import { closestName } from '../../../shared/closest-name.js';
import { type CsvRecord, MalformedCsvError, parseCsv } from '../../../shared/csv/csv.js';
import { COLUMNS, KNOWN_NAMES, meaningOf } from './device-file-names.js';
import { type DeviceFileRow, MAX_NAMES, readRow } from './device-file-row.js';

export type DeviceFile =
  { readonly rows: readonly DeviceFileRow[] } | { readonly fault: string; readonly line: number };

const NO_LIST =
  'must be CSV, or JSON: a list of objects, by itself or as `devices`, `data` or `data.devices`, or an object in each line';
const SHOWN_NAME = 40;

/**
 * Text is CSV whose first line names the columns; anything else is JSON: a list, by itself, in one of the envelopes of
 * older backends, or as JSON lines. An empty cell leaves its member out, as do null and a cell that a short row lacks.
 * @param maxRows a list with more is refused before a row is read
 */
export function readDeviceFile(file: unknown = '', maxRows = Number.MAX_SAFE_INTEGER): DeviceFile {
  return typeof file === 'string' ? readCsv(file, maxRows) : readJson(file, maxRows);
}

/** The known name that is closest to one that is not. */
export function meantName(name: string): string | undefined {
  return closestName(name, KNOWN_NAMES);
}

/** A column with the place of its cells. */
interface Column {
  readonly name: string;
  readonly index: number;
}

function readCsv(text: string, maxRows: number): DeviceFile {
  try {
    const [header, ...records] = parseCsv(text);
    if (!header) {
      return { fault: 'the file is empty', line: 1 };
    }
    // A column without a name may stand there, as long as it is empty. Spreadsheets write many of them.
    const columns = header.cells.map((cell, index) => ({ name: cell.trim(), index })).filter(({ name }) => name !== '');
    const fault = headerFault(columns.map(({ name }) => name));
    if (fault !== null) {
      return { fault, line: header.line };
    }
    const named = new Set(columns.map(({ index }) => index));
    return records.length > maxRows
      ? tooMany(maxRows)
      : { rows: records.map((record) => toRow(columns, named, record)) };
  } catch (error) {
    if (error instanceof MalformedCsvError) {
      return { fault: error.message, line: error.line };
    }
    throw error;
  }
}

function tooMany(maxRows: number): DeviceFile {
  return { fault: `at most ${String(maxRows)} devices at once`, line: 0 };
}

function readJson(body: unknown, maxRows: number): DeviceFile {
  const list = listIn(body);
  // Where a line of JSON lines is blank, the list has undefined.
  const isFilled = (row: unknown): boolean => row !== undefined;
  if (list && list.filter(isFilled).length > maxRows) {
    return tooMany(maxRows);
  }
  const devices = (list ?? []).map((row, index) => ({ line: index + 1, row })).filter(({ row }) => isFilled(row));
  if (!list || !devices.every(({ row }) => isObject(row))) {
    return { fault: NO_LIST, line: 0 };
  }
  return { rows: devices.map(({ line, row }) => readRow(line, Object.entries(row as object))) };
}

/** One object that names its hardware id is a list of one: JSON lines with a single one look so. */
function listIn(body: unknown): readonly unknown[] | undefined {
  const { devices, data } = (body ?? {}) as { devices?: unknown; data?: unknown };
  const inside = (data ?? {}) as { devices?: unknown };
  const list = [body, devices, data, inside.devices].find((value) => Array.isArray(value));
  return list ?? (isObject(body) && Object.keys(body).some(isHardwareId) ? [body] : undefined);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function headerFault(columns: readonly string[]): string | null {
  if (columns.length > MAX_NAMES) {
    return `has more than ${String(MAX_NAMES)} columns`;
  }
  const unknown = columns.find((column) => meaningOf(column) === undefined);
  if (unknown !== undefined) {
    const meant = meantName(unknown);
    const shown = unknown.slice(0, SHOWN_NAME);
    const cure = meant === undefined ? `: call it metadata.${shown}, or take it out` : `, did you mean ${meant}?`;
    return `has a column "${shown}"${cure}; there are ${COLUMNS.join(', ')}, separated by comma, semicolon or tab`;
  }
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice !== undefined) {
    return `has the column ${twice.slice(0, SHOWN_NAME)} twice`;
  }
  return columns.some(isHardwareId) ? null : 'has no column hardwareId';
}

function isHardwareId(column: string): boolean {
  const meaning = meaningOf(column);
  return meaning !== undefined && 'member' in meaning && meaning.member === 'hardwareId';
}

function toRow(columns: readonly Column[], named: ReadonlySet<number>, { line, cells }: CsvRecord): DeviceFileRow {
  const values = cells.map((cell) => cell.trim());
  const stray = values.findIndex((value, index) => value !== '' && !named.has(index));
  if (stray !== -1) {
    const fault = `the line has a value in column ${String(stray + 1)}, which has no name`;
    return { line, values: {}, unknown: [], leftOut: [], fault };
  }
  return readRow(
    line,
    columns.map(({ name, index }) => [name, values[index] ?? ''] as const),
  );
}

import { closestName } from '../../../shared/closest-name.js';
import { type CsvRecord, MalformedCsvError, parseCsv } from '../../../shared/csv.js';
import { COLUMNS, KNOWN_NAMES, meaningOf } from './device-file-names.js';
import { type DeviceFileRow, readRow } from './device-file-row.js';

export type DeviceFile =
  { readonly rows: readonly DeviceFileRow[] } | { readonly fault: string; readonly line: number };

const NO_LIST =
  'must be CSV, or JSON: a list of objects, by itself or as `devices`, `data` or `data.devices`, or an object in each line';
const SHOWN_NAME = 40;

/**
 * Text is CSV whose first line names the columns; anything else is JSON: a list, by itself, in one of the envelopes of
 * older backends, or as JSON lines. An empty cell leaves its member out, as do null and a cell that a short row lacks.
 */
export function readDeviceFile(file: unknown = ''): DeviceFile {
  return typeof file === 'string' ? readCsv(file) : readJson(file);
}

/** The known name that is closest to one that is not. */
export function meantName(name: string): string | undefined {
  return closestName(name, KNOWN_NAMES);
}

function readCsv(text: string): DeviceFile {
  try {
    const [header, ...records] = parseCsv(text);
    if (!header) {
      return { fault: 'the file is empty', line: 1 };
    }
    const columns = header.cells.map((cell) => cell.trim());
    const fault = headerFault(columns);
    return fault === null ? { rows: records.map((record) => toRow(columns, record)) } : { fault, line: header.line };
  } catch (error) {
    if (error instanceof MalformedCsvError) {
      return { fault: error.message, line: error.line };
    }
    throw error;
  }
}

function readJson(body: unknown): DeviceFile {
  const list = listIn(body)?.map((row, index) => ({ line: index + 1, row })) ?? [];
  // Where a line of JSON lines is blank, the list has undefined.
  const devices = list.filter(({ row }) => row !== undefined);
  if (!listIn(body) || !devices.every(({ row }) => isObject(row))) {
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

/** A column without a name may stand there, as long as it is empty. */
function headerFault(columns: readonly string[]): string | null {
  const named = columns.filter((column) => column !== '');
  const unknown = named.find((column) => meaningOf(column) === undefined);
  if (unknown !== undefined) {
    const meant = meantName(unknown);
    const shown = unknown.slice(0, SHOWN_NAME);
    const cure = meant === undefined ? `: call it metadata.${shown}, or take it out` : `, did you mean ${meant}?`;
    return `has a column "${shown}"${cure}; there are ${COLUMNS.join(', ')}, separated by comma, semicolon or tab`;
  }
  const twice = named.find((column, index) => named.indexOf(column) !== index);
  if (twice !== undefined) {
    return `has the column ${twice.slice(0, SHOWN_NAME)} twice`;
  }
  return named.some(isHardwareId) ? null : 'has no column hardwareId';
}

function isHardwareId(column: string): boolean {
  const meaning = meaningOf(column);
  return meaning !== undefined && 'member' in meaning && meaning.member === 'hardwareId';
}

function toRow(columns: readonly string[], { line, cells }: CsvRecord): DeviceFileRow {
  const values = cells.map((cell) => cell.trim());
  const stray = values.findIndex((value, index) => value !== '' && (columns[index] ?? '') === '');
  if (stray !== -1) {
    const fault = `the line has a value in column ${String(stray + 1)}, which has no name`;
    return { line, values: {}, unknown: [], leftOut: [], fault };
  }
  const entries = columns.map((column, index) => [column, values[index] ?? ''] as const);
  return readRow(
    line,
    entries.filter(([column]) => column !== ''),
  );
}

import { type CsvRecord, MalformedCsvError, parseCsv } from '../../../shared/csv.js';

/** The members of a row, each with what other backends and spreadsheets call it: compared without case, blanks, `_` and `-`. */
const MEMBERS = {
  hardwareId: ['deviceId', 'serialNumber', 'serial', 'mac', 'macAddress', 'id'],
  type: ['deviceType', 'kind'],
  name: ['deviceName', 'label', 'displayName'],
  model: ['deviceModel'],
  firmwareVersion: ['firmware', 'fwVersion'],
  room: ['location', 'place', 'zone'],
  timeZone: ['tz'],
  ownerEmail: ['email', 'owner', 'userEmail'],
} as const;
const COLUMNS = Object.keys(MEMBERS);
const CANONICAL = new Map(
  Object.entries(MEMBERS).flatMap(([member, names]) => [member, ...names].map((name) => [folded(name), member])),
);

/** One row of the list. */
export interface DeviceFileRow {
  readonly line: number;
  readonly values: Readonly<Record<string, unknown>>;
  /** What keeps this row from being read, and no other. */
  readonly fault?: string;
}

export type DeviceFile =
  { readonly rows: readonly DeviceFileRow[] } | { readonly fault: string; readonly line: number };

/**
 * Text is CSV whose first line names the columns; anything else is JSON: `{ "devices": [ … ] }`. An empty cell leaves its
 * member out, as does one that a short row lacks.
 */
export function readDeviceFile(file: unknown = ''): DeviceFile {
  return typeof file === 'string' ? readCsv(file) : readJson(file);
}

function readCsv(text: string): DeviceFile {
  try {
    const [header, ...records] = parseCsv(text);
    if (!header) {
      return { fault: 'the file is empty', line: 1 };
    }
    const columns = header.cells.map((cell) => memberOf(cell.trim()));
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
  const devices = (body as { devices?: unknown } | null)?.devices;
  if (!Array.isArray(devices) || devices.some((row) => typeof row !== 'object' || row === null || Array.isArray(row))) {
    return { fault: 'must be CSV, or JSON with a list of objects called devices', line: 0 };
  }
  return { rows: devices.map((values: Record<string, unknown>, index) => renamed(values, index + 1)) };
}

/** A member that is there by its own name and by another one is said twice. */
function renamed(values: Readonly<Record<string, unknown>>, line: number): DeviceFileRow {
  const entries = Object.entries(values).map(([name, value]) => [memberOf(name), value] as const);
  const twice = entries.find(([member], index) => entries.findIndex(([other]) => other === member) !== index);
  return twice
    ? { line, values: {}, fault: `names ${twice[0].slice(0, 40)} twice` }
    : { line, values: Object.fromEntries(entries) };
}

function memberOf(name: string): string {
  return CANONICAL.get(folded(name)) ?? name;
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, '');
}

/** A column without a name may stand there, as long as it is empty. */
function headerFault(columns: readonly string[]): string | null {
  const named = columns.filter((column) => column !== '');
  const unknown = named.find((column) => !COLUMNS.includes(column));
  if (unknown !== undefined) {
    return `has a column "${unknown.slice(0, 40)}"; there are ${COLUMNS.join(', ')}, separated by comma, semicolon or tab`;
  }
  const twice = named.find((column, index) => named.indexOf(column) !== index);
  if (twice !== undefined) {
    return `has the column ${twice} twice`;
  }
  return named.includes('hardwareId') ? null : 'has no column hardwareId';
}

function toRow(columns: readonly string[], { line, cells }: CsvRecord): DeviceFileRow {
  const values: Record<string, unknown> = {};
  for (const [index, cell] of cells.entries()) {
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

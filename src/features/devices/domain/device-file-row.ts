import { type Meaning, meaningOf, type RowMember } from './device-file-names.js';

/** One row of the list, with our names. */
export interface DeviceFileRow {
  readonly line: number;
  readonly values: Readonly<Record<string, unknown>>;
  /** Names that are neither known nor left out, as far as they are told. */
  readonly unknown: readonly string[];
  /** What was in it and is not kept. */
  readonly leftOut: readonly string[];
  /** What keeps this row from being read, and no other. */
  readonly fault?: string;
}

interface Said {
  readonly name: string;
  readonly value: unknown;
}

/** Names of one row, also of those that mean the same: a list of an older backend has some thirty. */
export const MAX_NAMES = 200;
/** Unknown names of one row that are told. */
const MAX_UNKNOWN = 5;
const SHOWN_NAME = 40;
/** Members of a place as an object: one with others is not a place alone. */
const PLACE = new Set(['type', 'coordinates', 'latitude', 'lat', 'longitude', 'lng', 'lon']);
/** An id of a database: 24 hexadecimal digits, also as `mongoexport` writes them into CSV, a UUID, or a number. */
const DATABASE_ID =
  /^(?:[0-9a-f]{24}|ObjectId\(["']?[0-9a-f]{24}["']?\)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+)$/i;

/** Reads names and values of a row. What is empty or null is not there; a name that means the same twice must say the same. */
export function readRow(line: number, entries: readonly (readonly [string, unknown])[]): DeviceFileRow {
  if (entries.length > MAX_NAMES) {
    const fault = `the row has ${String(entries.length)} names, more than the ${String(MAX_NAMES)} that it may have`;
    return { line, values: {}, unknown: [], leftOut: [], fault };
  }
  const filled = entries.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const named = filled.map(([name, value]) => ({ name, value, meaning: meaningOf(name) }));
  const leftOut = named.flatMap(({ meaning }) => (meaning && 'leftOut' in meaning ? [meaning.leftOut] : []));
  const unknown = named.flatMap(({ name, meaning }) => (meaning ? [] : [name])).slice(0, MAX_UNKNOWN);
  const members = byMember(named, leftOut);
  const twice = [...members].find(([, said]) => new Set(said.map(({ value }) => comparable(value))).size > 1);
  if (twice) {
    return { line, values: {}, unknown: [], leftOut: [], fault: contradiction(...twice) };
  }
  const values = new Map<string, unknown>([...members].map(([member, [said]]) => [member, said?.value]));
  const extra = named.flatMap(({ value, meaning }) =>
    meaning && 'metadata' in meaning ? [[meaning.metadata, value] as const] : [],
  );
  addMetadata(values, extra);
  addPlace(values);
  return { line, values: Object.fromEntries(values), unknown, leftOut };
}

/** What was said of each member, in the order of the row. */
function byMember(
  named: readonly (Said & { readonly meaning: Meaning | undefined })[],
  leftOut: string[],
): Map<RowMember, Said[]> {
  const members = new Map<RowMember, Said[]>();
  const add = (member: RowMember, called: string, said: Said): void => {
    if (said.value === undefined) {
      leftOut.push(called);
    } else {
      const before = members.get(member) ?? [];
      members.set(member, before);
      before.push(said);
    }
  };
  const hasPrintedId = named.some(({ meaning }) => isPrintedId(meaning));
  const rowId = comparable(named.find(({ name }) => name === '_id')?.value);
  for (const { name, value, meaning } of named) {
    if (!meaning || !('member' in meaning)) {
      continue;
    }
    const { member, called } = meaning;
    const isOfRow = called === 'id' && (hasPrintedId || comparable(value) === rowId);
    if (member === 'owner') {
      add('ownerEmail', called, { name, value: addressOf(called, value) });
    } else if (member === 'firmwareVersion') {
      add(member, called, { name, value: versionOf(value) });
    } else {
      add(member, called, { name, value: isOfRow ? undefined : value });
    }
  }
  return members;
}

/** By a name of what is printed on things; `id` may be that of a row. */
function isPrintedId(meaning: Meaning | undefined): boolean {
  return meaning !== undefined && 'member' in meaning && meaning.member === 'hardwareId' && meaning.called !== 'id';
}

/** @returns undefined for an owner of whom no address is known */
function addressOf(called: string, owner: unknown): unknown {
  if (typeof owner === 'object' && owner !== null) {
    return (owner as { email?: unknown }).email ?? undefined;
  }
  const isReference = called.endsWith('Id') || DATABASE_ID.test(String(owner));
  return isReference && !String(owner).includes('@') ? undefined : owner;
}

/** What is the same text for values that say the same. */
function comparable(value: unknown): string {
  return JSON.stringify([value]).toLowerCase();
}

/** Firmware as an object has its version among other things. */
function versionOf(firmware: unknown): unknown {
  const isObject = typeof firmware === 'object' && firmware !== null && !Array.isArray(firmware);
  return isObject && 'version' in firmware ? (firmware.version ?? undefined) : firmware;
}

function contradiction(member: string, said: readonly Said[]): string {
  const [first = '', second = first] = [...new Set(said.map(({ name }) => name.slice(0, SHOWN_NAME)))];
  return `\`${first}\` and \`${second}\` both mean \`${member}\`, and differ: send the one that is meant`;
}

function addMetadata(values: Map<string, unknown>, extra: readonly (readonly [string, unknown])[]): void {
  const given = values.get('metadata');
  if (extra.length > 0 && (given === undefined || typeof given === 'object')) {
    values.set('metadata', Object.fromEntries([...Object.entries(given ?? {}), ...extra]));
  }
}

/** Degrees become a position, however they were written; words stay what the location is. */
function addPlace(values: Map<string, unknown>): void {
  const [latitude, longitude] = [values.get('latitude'), values.get('longitude')];
  if (latitude !== undefined || longitude !== undefined) {
    values.set('position', { latitude: toDegrees(latitude), longitude: toDegrees(longitude) });
  }
  values.delete('latitude');
  values.delete('longitude');
  for (const member of ['position', 'location']) {
    const degrees = degreesIn(values.get(member));
    if (degrees) {
      values.delete(member);
      values.set('position', degrees);
    }
  }
}

/** `{ lat, lng }`, or a point of GeoJSON, which has the longitude first; undefined for what is neither. */
function degreesIn(value: unknown): object | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).some((name) => !PLACE.has(name))) {
    return undefined;
  }
  const place = value as Readonly<Record<string, unknown>>;
  const [east, north] = Array.isArray(place.coordinates) ? (place.coordinates as unknown[]) : [];
  const latitude = place.latitude ?? place.lat ?? north;
  const longitude = place.longitude ?? place.lng ?? place.lon ?? east;
  return { latitude, longitude };
}

/** A number, also as a spreadsheet writes it: `52,5163`. */
function toDegrees(value: unknown): unknown {
  return typeof value === 'string' && /^[+-]?\d{1,3}(?:[.,]\d{1,20})?$/.test(value)
    ? Number(value.replace(',', '.'))
    : value;
}

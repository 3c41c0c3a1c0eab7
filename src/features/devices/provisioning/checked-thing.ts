import { InvalidRequestError, validated } from '../../../platform/http/validation/validation.js';
import { pointerTo, shownName, unknownMember } from '../../../platform/http/validation/field-faults.js';
import type { FieldError } from '../../../shared/domain-error.js';
import { meantName, readDeviceFile } from '../domain/device-file.js';
import type { DeviceFileRow } from '../domain/device-file-row.js';
import { ThingToProvisionDto } from './provisioning.dto.js';
import { UnreadableDeviceListError } from './provisioning.errors.js';
import { MAX_PROVISIONED_ROWS, type ThingToProvision } from './provisioning.types.js';

/** Unknown names of one list for which the closest is looked up: its rows have mostly the same ones. */
const MAX_GUESSES = 50;

/** A row of the list: a thing, or what is wrong with its members. */
export interface CheckedThing {
  readonly line: number;
  readonly thing: ThingToProvision | null;
  readonly errors: readonly FieldError[];
}

/** The rows of a list, and the names in it that are known and not kept. */
export interface CheckedDeviceList {
  readonly rows: readonly CheckedThing[];
  readonly leftOut: readonly string[];
}

/** @param file CSV as text, or JSON as parsed. @throws UnreadableDeviceListError */
export async function checkDeviceList(file: unknown): Promise<CheckedDeviceList> {
  const list = readDeviceFile(file, MAX_PROVISIONED_ROWS);
  if ('fault' in list) {
    throw new UnreadableDeviceListError(list.fault, list.line);
  }
  const guesses = new Map<string, string | undefined>();
  const rows = await Promise.all(list.rows.map((row) => checkRow(row, guesses)));
  return { rows, leftOut: [...new Set(list.rows.flatMap(({ leftOut }) => leftOut))].sort() };
}

async function checkRow(row: DeviceFileRow, guesses: Map<string, string | undefined>): Promise<CheckedThing> {
  const { line, values, fault } = row;
  if (fault !== undefined) {
    return { line, thing: null, errors: [{ detail: fault, pointer: '' }] };
  }
  const unknown = row.unknown.map((name) => faultOfUnknown(name, guess(name, guesses)));
  try {
    const checked = await validated(ThingToProvisionDto, values);
    const thing = Object.fromEntries(Object.entries(checked).filter(([, value]) => value !== undefined));
    return { line, thing: unknown.length > 0 ? null : (thing as unknown as ThingToProvision), errors: unknown };
  } catch (error) {
    if (error instanceof InvalidRequestError) {
      return { line, thing: null, errors: [...unknown, ...error.errors] };
    }
    throw error;
  }
}

/** What to do with a name that resembles none, too: a list of an older backend has more members than ours. */
function faultOfUnknown(name: string, meant: string | undefined): FieldError {
  const { detail, pointer } = unknownMember(shownName(name), pointerTo('', name), meant);
  return { detail: meant === undefined ? `${detail}: put it into \`metadata\`, or take it out` : detail, pointer };
}

function guess(name: string, guesses: Map<string, string | undefined>): string | undefined {
  if (!guesses.has(name) && guesses.size < MAX_GUESSES) {
    guesses.set(name, meantName(name));
  }
  return guesses.get(name);
}

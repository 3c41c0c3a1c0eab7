import { InvalidRequestError, validated } from '../../../platform/http/validation/validation.js';
import type { FieldError } from '../../../shared/domain-error.js';
import { readDeviceFile } from '../domain/device-file.js';
import { ThingToProvisionDto } from './provisioning.dto.js';
import { UnreadableDeviceListError } from './provisioning.errors.js';
import { MAX_PROVISIONED_ROWS, type ThingToProvision } from './provisioning.types.js';

/** A row of the list: a thing, or what is wrong with its members. */
export interface CheckedThing {
  readonly line: number;
  readonly thing: ThingToProvision | null;
  readonly errors: readonly FieldError[];
}

/** @param file CSV as text, or JSON as parsed. @throws UnreadableDeviceListError */
export function checkDeviceList(file: unknown): Promise<CheckedThing[]> {
  const list = readDeviceFile(file);
  if ('fault' in list) {
    throw new UnreadableDeviceListError(list.fault, list.line);
  }
  if (list.rows.length > MAX_PROVISIONED_ROWS) {
    throw new UnreadableDeviceListError(`at most ${String(MAX_PROVISIONED_ROWS)} devices at once`, 0);
  }
  return Promise.all(list.rows.map(checkRow));
}

async function checkRow({
  line,
  values,
  fault,
}: {
  line: number;
  values: object;
  fault?: string;
}): Promise<CheckedThing> {
  if (fault !== undefined) {
    return { line, thing: null, errors: [{ detail: fault, pointer: '' }] };
  }
  try {
    const checked = await validated(ThingToProvisionDto, values);
    const thing = Object.fromEntries(Object.entries(checked).filter(([, value]) => value !== undefined));
    return { line, thing: thing as unknown as ThingToProvision, errors: [] };
  } catch (error) {
    if (error instanceof InvalidRequestError) {
      return { line, thing: null, errors: error.errors };
    }
    throw error;
  }
}

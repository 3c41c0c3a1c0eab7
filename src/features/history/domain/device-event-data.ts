import { DOOR_STATES, LOCK_STATES } from '../../../contracts/devices.js';
import type { DeviceEventType, EventPayloads } from '../../../contracts/events.js';
import { isUuid } from '../../../shared/ids.js';

const MAX_TEXT = 512;
const MAX_CUSTOM_BYTES = 4_096;

/** @returns what is wrong with a member, as a sentence without its subject; null when it is valid */
type Check = (value: unknown) => string | null;

const text: Check = (value) =>
  typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT
    ? null
    : `takes 1 to ${String(MAX_TEXT)} characters`;
const uuid: Check = (value) => (isUuid(value) ? null : 'must be a UUID');
const oneOf =
  (allowed: readonly string[]): Check =>
  (value) =>
    allowed.some((item) => item === value) ? null : `must be one of ${allowed.join(', ')}`;
const number =
  (min: number, max: number): Check =>
  (value) =>
    typeof value === 'number' && value >= min && value <= max
      ? null
      : `must be a number from ${String(min)} to ${String(max)}`;
const required =
  (check: Check): Check =>
  (value) =>
    value === undefined ? 'is missing' : check(value);

/** Members of `data` by type of event; all optional unless marked. */
const SHAPES: { [T in Exclude<DeviceEventType, 'custom'>]: { [K in keyof EventPayloads[T]]-?: Check } } = {
  door_status_changed: { lockState: oneOf(LOCK_STATES), doorState: oneOf(DOOR_STATES), commandId: uuid, cause: text },
  motion_detected: { confidence: number(0, 1), zone: text },
  snapshot_captured: { reference: text, quality: text, commandId: uuid },
  low_battery: { battery: required(number(0, 100)) },
  error_occurred: { errorCode: required(text), errorMessage: text },
};

/** One fault in `data`. `member` is empty when the fault is that of the whole. */
export interface DataFault {
  readonly member: string;
  readonly detail: string;
}

/** Checks the `data` of a device's event against its type. Unknown members are faults, except in `custom`. */
export function faultsOf(type: DeviceEventType, data: Readonly<Record<string, unknown>>): DataFault[] {
  if (type === 'custom') {
    const size = Buffer.byteLength(JSON.stringify(data));
    return size > MAX_CUSTOM_BYTES ? [{ member: '', detail: `takes at most ${String(MAX_CUSTOM_BYTES)} bytes` }] : [];
  }
  const shape = new Map<string, Check>(Object.entries(SHAPES[type]));
  const unknown = Object.keys(data).filter((member) => !shape.has(member));
  const faults = unknown.map((member) => ({ member, detail: 'is not part of this event' }));
  for (const [member, check] of shape) {
    const isRequired = check(undefined) === 'is missing';
    const detail = data[member] === undefined && !isRequired ? null : check(data[member]);
    if (detail !== null) {
      faults.push({ member, detail });
    }
  }
  return faults;
}

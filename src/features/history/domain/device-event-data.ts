import { DOOR_STATES, LOCK_STATES } from '../../../contracts/devices.js';
import type { DeviceEventType, EventPayloads } from '../../../contracts/events.js';
import { UPLINK_LIMITS } from '../../../contracts/uplinks.js';
import { cutText } from '../../../shared/cut-text.js';
import { hasInexactNumber } from '../../../shared/exact-numbers.js';
import { isUuid } from '../../../shared/ids.js';

const { dataTextLength, customDataBytes, battery } = UPLINK_LIMITS;

/** How one member of `data` is judged. */
interface Member {
  /** @returns what is wrong with a value, as a sentence without its subject; null when it is good */
  readonly check: (value: unknown) => string | null;
  /** Without it the event would say nothing: a missing one refuses the event. */
  readonly required?: boolean;
  /** A bad one refuses the event; otherwise it is a reading, and dropped. */
  readonly strict?: boolean;
  /** A longer text is cut. */
  readonly cutTo?: number;
}

const text: Member = {
  check: (value) => (typeof value === 'string' && value.length > 0 ? null : 'must be a text that is not empty'),
  cutTo: dataTextLength,
};
const uuid: Member = { check: (value) => (isUuid(value) ? null : 'must be a UUID'), strict: true };
const oneOf = (allowed: readonly string[]): Member => ({
  check: (value) => (allowed.some((item) => item === value) ? null : `must be one of ${allowed.join(', ')}`),
});
const number = (min: number, max: number): Member => ({
  check: (value) =>
    typeof value === 'number' && value >= min && value <= max
      ? null
      : `must be a number from ${String(min)} to ${String(max)}`,
});
const required = (member: Member): Member => ({ ...member, required: true, strict: true });

const SHAPES: { [T in Exclude<DeviceEventType, 'custom'>]: { [K in keyof EventPayloads[T]]-?: Member } } = {
  door_status_changed: { lockState: oneOf(LOCK_STATES), doorState: oneOf(DOOR_STATES), commandId: uuid, cause: text },
  motion_detected: { confidence: number(0, 1), zone: text },
  snapshot_captured: { reference: text, quality: text, commandId: uuid },
  low_battery: { battery: required(number(...battery)) },
  error_occurred: { errorCode: required(text), errorMessage: text },
};

/** One fault in `data`. `member` is empty when the fault is that of the whole. */
export interface DataFault {
  readonly member: string;
  readonly detail: string;
}

/** The `data` of a device's event as it is stored. */
export interface EventData {
  /** Without unknown members and bad readings. Not to be used when there are faults. */
  readonly data: Readonly<Record<string, unknown>>;
  /** They refuse the event. */
  readonly faults: readonly DataFault[];
  /** Readings that were no good. */
  readonly dropped: readonly string[];
}

/** Reads the `data` of a device's event by its type. Members that the type does not have are ignored, except in `custom`. */
export function readData(type: DeviceEventType, data: Readonly<Record<string, unknown>>): EventData {
  if (type === 'custom') {
    return { data, faults: customFaults(data), dropped: [] };
  }
  const faults: DataFault[] = [];
  const dropped: string[] = [];
  const read: Record<string, unknown> = {};
  for (const [name, member] of Object.entries<Member>(SHAPES[type])) {
    const value = valueOf(data, name, member.cutTo);
    const detail = faultOf(value, member);
    if (detail === null) {
      Object.assign(read, value === null ? {} : { [name]: value });
    } else if (member.strict) {
      faults.push({ member: name, detail });
    } else {
      dropped.push(name);
    }
  }
  return { data: read, faults, dropped };
}

/** Null for a member that was left out. */
function valueOf(data: Readonly<Record<string, unknown>>, name: string, cutTo: number | undefined): unknown {
  const value = Object.hasOwn(data, name) ? data[name] : null;
  return typeof value === 'string' && cutTo !== undefined ? cutText(value, cutTo) : value;
}

function faultOf(value: unknown, { check, required: isRequired }: Member): string | null {
  if (value === null) {
    return isRequired ? 'is missing' : null;
  }
  return check(value);
}

function customFaults(data: object): DataFault[] {
  if (Buffer.byteLength(JSON.stringify(data)) > customDataBytes) {
    return [{ member: '', detail: `takes at most ${String(customDataBytes)} bytes` }];
  }
  return hasInexactNumber(data)
    ? [{ member: '', detail: 'has a number beyond 2^53 - 1, which would be rounded: send it as text' }]
    : [];
}

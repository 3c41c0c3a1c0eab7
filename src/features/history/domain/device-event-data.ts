import { DOOR_STATES, LOCK_STATES } from '../../../contracts/devices.js';
import { DEVICE_EVENT_TYPES, type DeviceEventType, type EventPayloads } from '../../../contracts/events.js';
import { UPLINK_LIMITS } from '../../../contracts/uplinks.js';
import { cutText } from '../../../shared/cut-text.js';
import { hasInexactNumber } from '../../../shared/exact-numbers.js';
import { isUuid } from '../../../shared/ids.js';

const { eventTypeLength, dataTextLength, customDataBytes, settingsBytes, battery } = UPLINK_LIMITS;

/** How one member of `data` is judged. */
interface Member {
  /** @returns what is wrong with a value, as a sentence without its subject; null when it is good */
  readonly check: (value: unknown) => string | null;
  /** A bad one refuses the event; otherwise it is a reading, and dropped. */
  readonly strict?: boolean;
  /** A longer text is cut. */
  readonly cutTo?: number;
  /** A number is taken for its text. */
  readonly spelled?: boolean;
  /** What null stands for, where it is not left out. */
  readonly nullAs?: string;
}

const text: Member = {
  check: (value) => (typeof value === 'string' && value.length > 0 ? null : 'must be a text that is not empty'),
  cutTo: dataTextLength,
};
const uuid: Member = { check: (value) => (isUuid(value) ? null : 'must be a UUID'), strict: true };
const oneOf = (allowed: readonly string[]): Member => ({
  check: (value) => (allowed.some((item) => item === value) ? null : `must be one of ${allowed.join(', ')}`),
});
const number = (min: number, max: number, isKind: (value: number) => boolean = () => true): Member => ({
  check: (value) =>
    typeof value === 'number' && isKind(value) && value >= min && value <= max
      ? null
      : `must be a number from ${String(min)} to ${String(max)}`,
});

const lockState: Member = { ...oneOf([...LOCK_STATES, 'unknown']), nullAs: 'unknown' };

const SHAPES: { [T in Exclude<DeviceEventType, 'custom'>]: { [K in keyof EventPayloads[T]]-?: Member } } = {
  door_status_changed: { lockState, doorState: oneOf(DOOR_STATES), commandId: uuid, cause: text },
  motion_detected: { confidence: number(0, 1), zone: text },
  snapshot_captured: { reference: text, quality: text, commandId: uuid },
  low_battery: { battery: number(...battery) },
  settings_updated: {
    version: number(0, 2 ** 31 - 1, Number.isInteger),
    settings: {
      check: (value) =>
        isObject(value) && Buffer.byteLength(JSON.stringify(value)) <= settingsBytes && !hasInexactNumber(value)
          ? null
          : `must be an object of at most ${String(settingsBytes)} bytes`,
    },
  },
  error_occurred: { errorCode: { ...text, spelled: true }, errorMessage: text },
};

/** One fault in `data`. `member` is empty when the fault is that of the whole. */
export interface DataFault {
  readonly member: string;
  readonly detail: string;
}

/** A device's event as it is stored. */
export interface EventData {
  readonly type: DeviceEventType;
  /** Without unknown members and bad readings. Not to be used when there are faults. */
  readonly data: Readonly<Record<string, unknown>>;
  /** They refuse the event. */
  readonly faults: readonly DataFault[];
  /** What was no good, by the names of members. */
  readonly dropped: readonly string[];
}

/**
 * Reads the type and the `data` of a device's event. What is no good is dropped: an event that is refused holds up all
 * behind it for ever. Members that the type does not have are ignored, except in `custom`; so is stored, with its type
 * and its data inside, what has a type of the next version of the protocol.
 */
export function readData(type: unknown, given: unknown): EventData {
  const data = isObject(given) ? given : {};
  const dropped = isObject(given) || given === undefined || given === null ? [] : ['data'];
  const known = DEVICE_EVENT_TYPES.find((each) => each === type);
  if (known === undefined) {
    const named = typeof type === 'string' ? { type: cutText(type, eventTypeLength) } : {};
    return custom({ ...named, data }, named, [...dropped, 'type']);
  }
  return known === 'custom' ? custom(data, {}, dropped) : readMembers(known, data, dropped);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param rest what is stored instead of data that is too large */
function custom(data: object, rest: object, dropped: readonly string[]): EventData {
  const isLarge = Buffer.byteLength(JSON.stringify(data)) > customDataBytes;
  return {
    type: 'custom',
    data: { ...(isLarge ? rest : data) },
    faults:
      !isLarge && hasInexactNumber(data)
        ? [{ member: '', detail: 'has a number beyond 2^53 - 1, which would be rounded: send it as text' }]
        : [],
    dropped: isLarge ? [...dropped, 'data'] : dropped,
  };
}

function readMembers(
  type: Exclude<DeviceEventType, 'custom'>,
  data: Readonly<Record<string, unknown>>,
  droppedBefore: readonly string[],
): EventData {
  const faults: DataFault[] = [];
  const dropped = [...droppedBefore];
  const read: Record<string, unknown> = {};
  for (const [name, member] of Object.entries<Member>(SHAPES[type])) {
    const value = valueOf(data, name, member);
    const detail = value === null ? null : member.check(value);
    if (detail === null) {
      Object.assign(read, value === null ? {} : { [name]: value });
    } else if (member.strict) {
      faults.push({ member: name, detail });
    } else {
      dropped.push(name);
    }
  }
  return { type, data: read, faults, dropped };
}

/** Null for a member that was left out. */
function valueOf(data: Readonly<Record<string, unknown>>, name: string, { cutTo, spelled, nullAs }: Member): unknown {
  const own = Object.hasOwn(data, name) ? data[name] : null;
  const given = own === null && Object.hasOwn(data, name) ? (nullAs ?? null) : own;
  const value = spelled && typeof given === 'number' && !hasInexactNumber(given) ? String(given) : given;
  return typeof value === 'string' && cutTo !== undefined ? cutText(value, cutTo) : value;
}

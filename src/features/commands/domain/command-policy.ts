import { type CommandLane, type CommandName } from '../../../contracts/commands.js';
import { DEVICE_TYPES, type DevicePermission, type DeviceType } from '../../../contracts/devices.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The longest time that a command may wait for its device. */
export const MAX_LIFE_MS = 24 * HOUR;
/** A door must not open later, when the person at it has gone. */
export const MAX_UNLOCK_LIFE_MS = 15 * SECOND;
/** Commands that wait for one device at most; further ones are refused. */
export const MAX_QUEUED_PER_DEVICE = 100;

/** The rules of one kind of command. Durations are in milliseconds. */
export interface CommandPolicy {
  /** What its issuer must be permitted, when they give it and again when it is sent. */
  readonly demand: DevicePermission;
  readonly lane: CommandLane;
  /** The lowest is sent first within the lane. */
  readonly priority: number;
  /** From when it was asked for: after it, the command is not sent any more. */
  readonly lifeMs: number;
  /** From sending on: after it, the device must not begin, and silence becomes TIMED_OUT. */
  readonly timeoutMs: number;
  /** Until the device answers, the same bytes are sent again at this interval. */
  readonly resendEveryMs: number;
  /** Refused unless the device is connected. */
  readonly needsLink: boolean;
  /** Not sent to a device whose uptime fell within one boot: its deadline might hold for weeks. */
  readonly needsSteadyUptime: boolean;
  readonly deviceTypes: readonly DeviceType[];
}

export const COMMAND_POLICIES: Readonly<Record<CommandName, CommandPolicy>> = {
  lock_door: {
    demand: 'control',
    lane: 'bolt',
    priority: 0,
    lifeMs: MAX_LIFE_MS,
    timeoutMs: 15 * SECOND,
    resendEveryMs: 3 * SECOND,
    needsLink: false,
    needsSteadyUptime: false,
    deviceTypes: ['door_lock'],
  },
  unlock_door: {
    demand: 'control',
    lane: 'bolt',
    priority: 1,
    lifeMs: MAX_UNLOCK_LIFE_MS,
    timeoutMs: 15 * SECOND,
    resendEveryMs: 3 * SECOND,
    needsLink: true,
    needsSteadyUptime: true,
    deviceTypes: ['door_lock'],
  },
  request_snapshot: {
    demand: 'control',
    lane: 'maintenance',
    priority: 1,
    lifeMs: 5 * MINUTE,
    timeoutMs: 30 * SECOND,
    resendEveryMs: 10 * SECOND,
    needsLink: false,
    needsSteadyUptime: false,
    deviceTypes: ['door_lock', 'camera'],
  },
  restart_device: {
    demand: 'admin',
    lane: 'maintenance',
    priority: 1,
    lifeMs: HOUR,
    timeoutMs: MINUTE,
    resendEveryMs: 10 * SECOND,
    needsLink: false,
    needsSteadyUptime: false,
    deviceTypes: DEVICE_TYPES,
  },
  firmware_update: {
    demand: 'admin',
    lane: 'maintenance',
    priority: 1,
    lifeMs: MAX_LIFE_MS,
    timeoutMs: 10 * MINUTE,
    resendEveryMs: 30 * SECOND,
    needsLink: false,
    needsSteadyUptime: false,
    deviceTypes: DEVICE_TYPES,
  },
  sync_access_codes: {
    demand: 'admin',
    lane: 'maintenance',
    priority: 1,
    lifeMs: MAX_LIFE_MS,
    timeoutMs: 30 * SECOND,
    resendEveryMs: 10 * SECOND,
    needsLink: false,
    needsSteadyUptime: false,
    deviceTypes: ['door_lock'],
  },
};

/** What it takes to cancel the command of another person; the own one takes no more than `control`. */
export const CANCEL_OTHERS_DEMAND: DevicePermission = 'admin';

export function policyOf(name: CommandName): CommandPolicy {
  return COMMAND_POLICIES[name];
}

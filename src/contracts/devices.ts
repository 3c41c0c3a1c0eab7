/** What a device is. */
export const DEVICE_TYPES = ['door_lock', 'camera', 'motion_sensor', 'sensor', 'switch', 'other'] as const;
export type DeviceType = (typeof DEVICE_TYPES)[number];

/** Whether we can reach it: `unknown` before its first birth, `inactive` after 24 h of silence, `maintenance` while a person works on it. */
export const DEVICE_STATUSES = ['online', 'offline', 'unknown', 'maintenance', 'inactive'] as const;
export type DeviceStatus = (typeof DEVICE_STATUSES)[number];

/** Matter 1.4, Door Lock cluster, LockState. */
export const LOCK_STATES = ['locked', 'unlocked', 'unlatched', 'not_fully_locked'] as const;
export type LockState = (typeof LOCK_STATES)[number];

/** Matter 1.4, Door Lock cluster, DoorState. */
export const DOOR_STATES = ['closed', 'open', 'jammed', 'forced_open', 'ajar'] as const;
export type DoorState = (typeof DOOR_STATES)[number];

/** How a device is connected; over `http` it is not, and sends single requests. */
export const LINK_KINDS = ['mqtt', 'websocket', 'http'] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

/** What a person may do with a device; each level includes the ones before it. */
export const DEVICE_PERMISSIONS = ['view', 'control', 'admin'] as const;
export type DevicePermission = (typeof DEVICE_PERMISSIONS)[number];

/** Whether a permission is at least another one; none (null) is not even `view`. */
export function grants(held: DevicePermission | null, needed: DevicePermission): boolean {
  return held !== null && DEVICE_PERMISSIONS.indexOf(held) >= DEVICE_PERMISSIONS.indexOf(needed);
}

/** What a device said last of how it is. */
export interface DeviceHeartbeat {
  readonly deviceId: string;
  /** RFC 3339: when it was sent, as far as that is known. */
  readonly at: string;
  /** Milliseconds since the device started. */
  readonly uptimeMs?: number;
  /** Percent. */
  readonly battery?: number;
  /** dBm. */
  readonly rssi?: number;
  /** Bytes. */
  readonly freeHeap?: number;
}

import type { DeviceStatus, DeviceType, DoorState, LinkKind, LockState } from '../../contracts/devices.js';
import type { PublicJwk } from '../../platform/keys/key-store.js';
import type { Page } from '../../shared/paging.js';

/** A thing with a line to us: what its owner calls it, and what it last said about itself. */
export interface Device {
  readonly id: string;
  readonly ownerId: string;
  /** Whose members may see or use it, by their role there. */
  readonly organizationId: string | null;
  readonly name: string;
  readonly type: DeviceType;
  readonly hardwareId: string;
  readonly room: string | null;
  /** IANA name. */
  readonly timeZone: string;
  readonly status: DeviceStatus;
  readonly firmwareVersion: string | null;
  /** Percent. */
  readonly battery: number | null;
  /** dBm. */
  readonly rssi: number | null;
  readonly lockState: LockState | null;
  readonly doorState: DoorState | null;
  /** How it is connected now. */
  readonly links: readonly LinkKind[];
  readonly lastSeenAt: Date | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What an owner chooses when registering. */
export interface NewDevice {
  readonly name: string;
  readonly type: DeviceType;
  readonly hardwareId: string;
  readonly room: string | null;
  readonly timeZone: string;
}

/** What may be changed later; what is missing stays. */
export interface DeviceChanges {
  readonly name?: string;
  readonly room?: string | null;
  readonly timeZone?: string;
  readonly organizationId?: string | null;
}

export const DEVICE_SORTS = ['createdAt', '-createdAt', 'name', '-name'] as const;
export type DeviceSort = (typeof DEVICE_SORTS)[number];

/** Which of a person's devices to list. */
export interface DeviceQuery {
  readonly sort: DeviceSort;
  readonly limit: number;
  readonly cursor?: string;
  readonly type?: DeviceType;
  readonly status?: DeviceStatus;
  readonly room?: string;
  /** Part of the name, room or hardware id. */
  readonly q?: string;
}

/** The hottest answer of all: each item is a DeviceDto as JSON text, which nobody parses again. */
export type DeviceListPage = Page<string>;

/** A device that has just been registered. */
export interface RegisteredDevice {
  readonly device: Device;
  /** Null when this was a repeat: it was shown the first time. */
  readonly deviceToken: string | null;
  readonly orderKeys: readonly PublicJwk[];
}

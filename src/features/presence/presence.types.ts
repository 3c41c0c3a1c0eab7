import type { DeviceStatus, DoorState, LinkKind, LockState } from '../../contracts/devices.js';

/** A device says that it is there. */
export interface Birth {
  readonly boot: string;
  readonly uptimeMs: number;
  readonly firmwareVersion?: string;
  readonly lockState?: LockState;
  readonly doorState?: DoorState;
}

/** A device says that it is still there. */
export interface Heartbeat {
  readonly boot: string;
  readonly uptimeMs: number;
  readonly battery?: number;
  readonly rssi?: number;
}

/** A heartbeat waiting to be written. */
export interface HeldHeartbeat extends Heartbeat {
  readonly deviceId: string;
  readonly link: LinkKind;
  /** How long ago we heard it. */
  readonly ageMs: number;
}

/** A device and its link, held against changes until the transaction ends. */
export interface LockedDevice {
  readonly ownerId: string;
  readonly status: DeviceStatus;
  readonly version: number;
  readonly link: { readonly boot: string; readonly quiet: boolean } | null;
}

/** Why a link ended. */
export type LinkEnd = 'will' | 'silence' | 'replaced';

/** A link that nothing came through for too long. */
export interface SilentLink {
  readonly deviceId: string;
  readonly link: LinkKind;
  readonly boot: string;
}

/** A device that has become inactive. */
export interface SilentDevice {
  readonly deviceId: string;
  readonly ownerId: string;
  readonly previous: DeviceStatus;
  readonly lastSeenAt: Date;
  readonly version: number;
}

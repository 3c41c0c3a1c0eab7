import type { DeviceStatus, DoorState, LinkKind, LockState } from '../../contracts/devices.js';

/** A device reports that it is online. */
export interface Birth {
  readonly boot: string;
  /** Milliseconds since the device started; left out when it sent none that can be used. */
  readonly uptimeMs?: number;
  readonly firmwareVersion?: string;
  readonly lockState?: LockState;
  readonly doorState?: DoorState;
  /** How often the device sends heartbeats; left out: every 30 s. */
  readonly heartbeatIntervalMs?: number;
  /** False: it does not know where its bolt is. */
  readonly calibrated?: boolean;
  /** Milliseconds since it arrived. */
  readonly ageMs?: number;
  /** Milliseconds for which it may have waited before: 0 when it came without delay. */
  readonly waitedMs?: number;
  /** It is a heartbeat in place of a birth: what it leaves out of its uptime and its interval stays as it is known. */
  readonly isHeartbeat?: true;
}

/** A device, or its broker, reports that it is offline. */
export interface Will {
  readonly boot: string;
  /** Milliseconds since it arrived. */
  readonly ageMs?: number;
  /** Milliseconds for which it may have waited before. */
  readonly waitedMs?: number;
  /** It comes in the order in which it was sent: the embedded broker passes on no will of a connection that was replaced. */
  readonly inOrder?: boolean;
  /**
   * Milliseconds since the birth on the connection that ended, where that is known: a later birth on the link, such as one
   * that another process received, was of a connection that is still there.
   */
  readonly bornMsAgo?: number;
}

/** A device reports that it is still online. */
export interface Heartbeat {
  readonly boot: string;
  /** Milliseconds since the device started; left out when it sent none that can be used. */
  readonly uptimeMs?: number;
  /** Percent. */
  readonly battery?: number;
  /** dBm. */
  readonly rssi?: number;
  /** Bytes. It is told live, and not kept. */
  readonly freeHeap?: number;
  /** Milliseconds for which it may have waited before it arrived. */
  readonly waitedMs?: number;
}

/** A heartbeat that waits to be written. */
export interface HeldHeartbeat extends Heartbeat {
  readonly deviceId: string;
  readonly link: LinkKind;
  /** Milliseconds since it arrived. */
  readonly ageMs: number;
}

/** What became of the heartbeat of a device. */
export interface HeartbeatOutcome {
  readonly deviceId: string;
  readonly boot: string;
  /** Its uptime fell within the boot. */
  readonly fell: boolean;
  readonly ownerId: string;
  readonly organizationId: string | null;
  /** When it was sent. */
  readonly at: Date;
}

/** What a device reported of its state in its events. */
export interface StateReport {
  readonly deviceId: string;
  readonly boot: string;
  readonly link: LinkKind;
  readonly lockState?: LockState;
  readonly doorState?: DoorState;
  /** False: it does not know where its bolt is. */
  readonly calibrated?: boolean;
  /** Its bolt is stuck, until it reports its state again. */
  readonly jammed?: boolean;
  /** Percent. */
  readonly battery?: number;
  readonly commandId?: string;
}

/** A device reported the position of its bolt, in an event or in its birth. */
export interface LockStateReport {
  readonly deviceId: string;
  /** The boot that reported it. */
  readonly boot: string;
  readonly lockState: LockState;
  /** How it was reported. */
  readonly link: LinkKind;
  /** The command that moved it, if the device named one. */
  readonly commandId?: string;
}

/** Called inside the transaction that records the report, and rolled back with it. */
export type LockStateHandler = (report: LockStateReport) => Promise<void>;

/** Called after a device has come online, in the process that received its birth. */
export type DeviceConnectedHandler = (deviceId: string) => void;

/** A boot whose uptime fell: when it started is not known any more. */
export interface FallenBoot {
  readonly deviceId: string;
  readonly boot: string;
}

/** Called after the fall of an uptime was recorded, in the process that saw it. */
export type UptimeFallHandler = (fallen: FallenBoot) => Promise<void>;

/** Zeros included. */
export interface DeviceCounts {
  readonly byStatus: readonly { readonly status: DeviceStatus; readonly count: number }[];
  readonly byKind: readonly { readonly kind: LinkKind; readonly count: number }[];
}

/** A link that is open. */
export interface LinkOfBoot {
  readonly kind: LinkKind;
  readonly boot: string;
  /** A heartbeat of it was missed: its device may have started again while its birth was lost. */
  readonly quiet: boolean;
}

/** A device and its link, locked until the transaction ends. */
export interface LockedDevice {
  readonly ownerId: string;
  readonly status: DeviceStatus;
  readonly version: number;
  /** Whether it may talk to us: its token may have been revoked while its message was on the way. */
  readonly hasToken: boolean;
  readonly link: Omit<LinkOfBoot, 'kind'> | null;
  /** Its links of other kinds. */
  readonly otherLinks: readonly LinkOfBoot[];
  /** Its present boot, and its newest uptime. */
  readonly clock: { readonly boot: string; readonly uptimeMs: number } | null;
  /** Events stored since midnight (UTC), of the device and of all devices of its owner. */
  readonly eventsToday: { readonly ofDevice: number; readonly ofOwner: number };
}

/** What a birth changed. */
export interface RecordedBirth {
  /** Of the device. */
  readonly version: number;
  /** It shows that the uptime fell within one boot. */
  readonly uptimeFell: boolean;
  /** No deadline can be computed. */
  readonly uptimeUnknown: boolean;
  /** How often the device sends heartbeats; null: it did not say. */
  readonly heartbeatIntervalMs: number | null;
}

/** Why a link ended. */
export type LinkEnd = 'will' | 'silence' | 'replaced' | 'cut_off' | 'token_ended';

/** A link on which nothing has arrived for too long. */
export interface SilentLink {
  readonly deviceId: string;
  readonly link: LinkKind;
  readonly boot: string;
}

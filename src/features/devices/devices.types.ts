import type { DeviceStatus, DeviceType, LinkKind } from '../../contracts/devices.js';
import { HEARTBEAT_INTERVAL_MS } from '../../contracts/mqtt.js';
import type { PublicJwk } from '../../platform/keys/key-store.js';
import type { FlatObject } from '../../contracts/flat-object.js';
import type { ReportedStates } from './domain/device-state.js';

/** So long after a heartbeat a device is awake: one and a half times the interval that holds unless it declares another. */
export const AWAKE_S = (HEARTBEAT_INTERVAL_MS * 1.5) / 1_000;

/**
 * SQL: the condition that a token, row `alias` of device_credentials, is neither revoked nor past the end of its overlap: as of the
 * statement, because a transaction may have begun before the end and waited.
 */
export function tokenIsValid(alias: string): string {
  return `${alias}.revoked_at IS NULL AND (${alias}.expires_at IS NULL OR ${alias}.expires_at > statement_timestamp())`;
}

/**
 * SQL: the condition on a device, row `alias`, that what it said at a time was said to its present owner. After a transfer,
 * what was on its way is nothing that the new owner may see.
 */
export function isOfThisOwner(alias: string, at: string): string {
  return `(${alias}.owned_since = ${alias}.created_at OR ${alias}.owned_since <= ${at})`;
}

/** SQL: the condition that a device `d` may talk to us, which ends with the revocation of its last token. */
export const HAS_TOKEN = `EXISTS (SELECT FROM device_credentials t WHERE t.device_id = d.id AND ${tokenIsValid('t')})`;

/**
 * SQL: the condition that a device `d` gets orders now. An `http` link carries none. One that declares a longer interval
 * may sleep between its heartbeats, with or without a word to the broker: it is awake for a while after each.
 */
export const HAS_ORDER_LINK = orderLink('');

/** {@link HAS_ORDER_LINK} by a link of one of these kinds. @param kinds an array in SQL */
export function hasOrderLink(kinds: string): string {
  return orderLink(`AND l.kind = ANY (${kinds})`);
}

function orderLink(condition: string): string {
  return `EXISTS (SELECT FROM device_links l WHERE l.device_id = d.id AND l.kind <> 'http' ${condition}
  AND (l.heartbeat_interval_ms <= ${String(HEARTBEAT_INTERVAL_MS)} OR l.last_seen_at > now() - interval '${String(AWAKE_S)} s'))`;
}

/** In degrees north and east. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

/** A registered device: what its owner has set, and what it last reported. */
export interface Device extends ReportedStates {
  readonly id: string;
  readonly ownerId: string;
  /** The organization whose members may see or use it, by their role there. */
  readonly organizationId: string | null;
  readonly name: string;
  readonly type: DeviceType;
  readonly hardwareId: string;
  readonly room: string | null;
  readonly location: string | null;
  readonly position: Position | null;
  readonly metadata: FlatObject;
  /** IANA name. */
  readonly timeZone: string;
  readonly status: DeviceStatus;
  readonly firmwareVersion: string | null;
  /** Percent. */
  readonly battery: number | null;
  readonly batteryAt: Date | null;
  /** dBm. */
  readonly rssi: number | null;
  readonly rssiAt: Date | null;
  /** Its open links. */
  readonly links: readonly LinkKind[];
  /** An order would be sent to it now. */
  readonly reachable: boolean;
  readonly lastSeenAt: Date | null;
  /** Since when it has its present owner, who sees nothing older. */
  readonly ownedSince: Date;
  /** It came from the inventory, by a claim. */
  readonly provisioned: boolean;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What an owner sets at registration. */
export interface NewDevice {
  readonly name: string;
  readonly type: DeviceType;
  readonly hardwareId: string;
  readonly room: string | null;
  readonly location: string | null;
  readonly position: Position | null;
  readonly metadata: FlatObject;
  readonly timeZone: string;
}

/** What may be changed later; members left out stay as they are. */
export interface DeviceChanges {
  readonly name?: string;
  readonly room?: string | null;
  readonly location?: string | null;
  readonly position?: Position | null;
  /** Replaces all of it; null empties it. */
  readonly metadata?: FlatObject | null;
  readonly timeZone?: string;
  readonly organizationId?: string | null;
  /** Whether a person works on it: its status is `maintenance` meanwhile. */
  readonly maintenance?: boolean;
}

/** Those of them that its owner sets in columns. */
export type ColumnChanges = Omit<DeviceChanges, 'maintenance'>;

/** A device that has just been registered. */
export interface RegisteredDevice {
  readonly device: Device;
  /** Null for a repeat: it is shown only the first time. */
  readonly deviceToken: string | null;
  readonly orderKeys: readonly PublicJwk[];
}

import type { DeviceStatus, DeviceType, DoorState, LinkKind, LockState } from '../../contracts/devices.js';
import type { PublicJwk } from '../../platform/keys/key-store.js';
import type { Page } from '../../shared/paging.js';

/** SQL: the condition that a token, row `alias` of device_credentials, is neither revoked nor past the end of its overlap. */
export function tokenIsValid(alias: string): string {
  return `${alias}.revoked_at IS NULL AND (${alias}.expires_at IS NULL OR ${alias}.expires_at > now())`;
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

/** A registered device: what its owner has set, and what it last reported. */
export interface Device {
  readonly id: string;
  readonly ownerId: string;
  /** The organization whose members may see or use it, by their role there. */
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
  /** Its open links. */
  readonly links: readonly LinkKind[];
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
  readonly timeZone: string;
}

/** What may be changed later; members left out stay as they are. */
export interface DeviceChanges {
  readonly name?: string;
  readonly room?: string | null;
  readonly timeZone?: string;
  readonly organizationId?: string | null;
}

export const DEVICE_SORTS = ['createdAt', '-createdAt', 'name', '-name'] as const;
export type DeviceSort = (typeof DEVICE_SORTS)[number];

/** Which devices of a user to list, and in which order. */
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

/** Each item is a DeviceDto as JSON text: the most frequent answer is not parsed and serialized again. */
export type DeviceListPage = Page<string>;

/** A device that has just been registered. */
export interface RegisteredDevice {
  readonly device: Device;
  /** Null for a repeat: it is shown only the first time. */
  readonly deviceToken: string | null;
  readonly orderKeys: readonly PublicJwk[];
}

import type { DeviceType } from '../../../contracts/devices.js';
import type { FlatObject } from '../../../contracts/flat-object.js';
import type { FieldError } from '../../../shared/domain-error.js';
import type { ActivationCode } from '../credentials/credentials.types.js';
import type { Device, Position } from '../devices.types.js';

/** Rows in one request. */
export const MAX_PROVISIONED_ROWS = 1_000;

/** A thing to be put into the inventory, as its maker describes it. */
export interface ThingToProvision {
  readonly hardwareId: string;
  readonly type?: DeviceType;
  readonly name?: string;
  readonly model?: string;
  readonly firmwareVersion?: string;
  readonly room?: string;
  readonly location?: string;
  readonly position?: Position;
  readonly metadata?: FlatObject;
  readonly timeZone?: string;
  /** Whose it is to be. */
  readonly ownerEmail?: string;
}

/** A thing in the inventory. */
export interface ProvisionedDevice {
  readonly id: string;
  readonly hardwareId: string;
  readonly type: DeviceType;
  readonly name: string | null;
  readonly model: string | null;
  readonly firmwareVersion: string | null;
  readonly ownerEmail: string | null;
  readonly hasClaimCode: boolean;
  readonly claimedAt: Date | null;
  readonly createdAt: Date;
}

/** Whose inventory: of one maker, or all of it for an administrator. */
export type InventoryScope = string | null;

/** What of an inventory is listed. */
export interface InventoryFilter {
  readonly claimed?: boolean;
  /** In any spelling. */
  readonly hardwareId?: string;
}

/** What became of one row. */
export interface ProvisionResult {
  readonly line: number;
  /** As it is kept; null where the row has none that can be. */
  readonly hardwareId: string | null;
  /** It was there, without an owner, and has new secrets. */
  readonly renewed: boolean;
  /** Null where it was refused. */
  readonly deviceId: string | null;
  /** Null for a repeat, and where it is not for the maker to know. */
  readonly claimCode: string | null;
  readonly deviceToken: string | null;
  /** It belongs to the account with the address of the row already. */
  readonly claimed: boolean;
  /** The code was mailed to that address. */
  readonly mailed: boolean;
  readonly code: string | null;
  readonly errors: readonly FieldError[];
}

/** A claim as requested. */
export interface ClaimRequest {
  readonly code: string;
  readonly name?: string;
  readonly room?: string | null;
  readonly timeZone?: string;
}

export interface ClaimedDevice {
  readonly device: Device;
  /** For a device without a valid token. */
  readonly activation: ActivationCode | null;
}

import type { ActivationCode } from '../credentials/credentials.types.js';
import type { Device } from '../devices.types.js';

/** An offer that can be accepted. */
export interface Transfer {
  readonly id: string;
  readonly deviceId: string;
  readonly deviceName: string;
  readonly fromId: string;
  readonly senderName: string;
  readonly email: string;
  readonly expiresAt: Date;
  readonly createdAt: Date;
}

/** By the mailed token, or by its id for the account that it is offered to; or by both. */
export interface TransferKey {
  readonly id?: string;
  readonly token?: string | undefined;
}

/** A device that has just got another owner. */
export interface AcceptedTransfer {
  readonly device: Device;
  /** Where the device has no token any more: all that it had were known to its earlier owner. */
  readonly activation: ActivationCode | null;
}

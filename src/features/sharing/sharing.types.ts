import type { DevicePermission, DeviceType } from '../../contracts/devices.js';
import type { EffectiveShare, ShareTerms } from './domain/device-access.js';

/** A share, as it was given. */
export interface Share extends ShareTerms {
  readonly id: string;
  readonly deviceId: string;
  /** Whom it was given to, in the one spelling of an address. */
  readonly email: string;
  /** Their account; null until they accept. Who gave it is not told. */
  readonly recipientId: string | null;
  /** Null once that account is gone. */
  readonly grantedBy: string | null;
  /** The share of the one who gave it, where that is their right. */
  readonly givenUnder: string | null;
  /** A higher right than `givenUnder` has narrowed it: only such a one widens or ends it. */
  readonly held: boolean;
  /** What it is worth. */
  readonly effective: EffectiveShare;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A share, as its recipient sees it. */
export interface HeldShare extends Share {
  readonly deviceName: string;
  readonly deviceType: DeviceType;
}

/** What may be changed of a share; members left out stay as they are. */
export interface ShareChanges extends Partial<ShareTerms> {
  /** The window of the rule that gives the schedule: it makes that of the share shorter, never longer. */
  readonly within?: Pick<ShareTerms, 'from' | 'until'>;
}

/** Devices that are shared with a user and open now, with what each share gives. */
export interface OpenShares {
  readonly deviceIds: readonly string[];
  readonly permissions: readonly DevicePermission[];
}

/** How long an invitation by mail can be accepted. */
export const INVITATION_TTL_MS = 7 * 24 * 60 * 60 * 1_000;

/** How many shares a device has at most. */
export const MAX_OF_DEVICE = 100;

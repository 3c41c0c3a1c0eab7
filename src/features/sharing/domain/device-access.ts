import { DEVICE_PERMISSIONS, type DevicePermission, grants } from '../../../contracts/devices.js';
import type { DeviceRef, OrganizationRole } from '../../../contracts/resources.js';
import { type AccessNeed, permissionOfRole } from '../device-permission.types.js';
import { isOpenAt, type WeeklySchedule } from './weekly-schedule.js';

/** What a share gives, and when. */
export interface ShareTerms {
  readonly permission: DevicePermission;
  /** Null: from the beginning. */
  readonly from: Date | null;
  /** Not included; null: without an end. */
  readonly until: Date | null;
  /** Null: at all hours. */
  readonly schedule: WeeklySchedule | null;
  readonly suspended: boolean;
}

/** A share with the right by which it was given, where that may end: it is worth nothing without it. */
export interface EffectiveShare extends ShareTerms {
  /** The share or the role of its giver; null for what the owner gave. */
  readonly under: EffectiveShare | null;
}

/** What gives a user access to a device. */
export interface DeviceTies {
  readonly owner: boolean;
  /** The user's role in the organization of the device; null without a membership, or without an organization. */
  readonly organizationRole: OrganizationRole | null;
  /** What is shared with the user; null: nothing. */
  readonly share: EffectiveShare | null;
}

/** What was decided of a user and a device. */
export type DecidedAccess = Omit<DeviceRef, 'id' | 'ownerId'>;

/** What a share is worth at an instant: `open`, or why it is not. */
export const SHARE_STATES = ['open', 'suspended', 'withheld', 'not_yet', 'over', 'closed'] as const;
export type ShareState = (typeof SHARE_STATES)[number];

/** `closed`: outside its weekly schedule. `withheld`: the right by which it was given is not `admin` now. */
export function stateOfShare(share: EffectiveShare, at: Date): ShareState {
  const own = stateOfTerms(share, at);
  const { under } = share;
  const isRightful = under === null || (under.permission === 'admin' && stateOfShare(under, at) === 'open');
  return own === 'open' && !isRightful ? 'withheld' : own;
}

function stateOfTerms({ suspended, from, until, schedule }: ShareTerms, at: Date): ShareState {
  if (suspended) {
    return 'suspended';
  }
  if (from !== null && at < from) {
    return 'not_yet';
  }
  if (until !== null && at >= until) {
    return 'over';
  }
  return schedule === null || isOpenAt(schedule, at) ? 'open' : 'closed';
}

/**
 * The only place that decides what a user may do with a device: every interface and the dispatch of commands use it.
 * What gives the most counts.
 * @param at by the clock of the database
 * @returns null when the user must not even learn that the device exists
 */
export function decidePermission({ owner, organizationRole, share }: DeviceTies, at: Date): DevicePermission | null {
  if (owner) {
    return 'admin';
  }
  const byRole = organizationRole === null ? null : permissionOfRole(organizationRole);
  const byShare = share !== null && stateOfShare(share, at) === 'open' ? share.permission : null;
  return DEVICE_PERMISSIONS.findLast((permission) => permission === byRole || permission === byShare) ?? null;
}

/** What a user may do with a device by ownership and by role alone: it does not end with a share. */
export function permissionOfOwn(ties: DeviceTies, at: Date): DevicePermission | null {
  return decidePermission({ ...ties, share: null }, at);
}

/** What {@link permits} judges; null without any permission. */
export function decideAccess(ties: DeviceTies, at: Date): DecidedAccess | null {
  const permission = decidePermission(ties, at);
  return permission && { permission, owned: ties.owner, managed: permissionOfOwn(ties, at) === 'admin' };
}

/**
 * Whether a permission is sufficient. Each level includes the ones before it; `manager` takes an `admin` that is no share, and
 * `owner` the owner alone.
 */
export function permits(access: DecidedAccess, need: AccessNeed): boolean {
  switch (need) {
    case 'owner':
      return access.owned;
    case 'manager':
      return access.managed;
    default:
      return grants(access.permission, need);
  }
}

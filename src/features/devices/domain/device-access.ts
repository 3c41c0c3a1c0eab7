import { type DevicePermission, grants } from '../../../contracts/devices.js';
import type { OrganizationRole } from '../../../contracts/resources.js';

/** What gives a user access to a device. */
export interface DeviceTies {
  readonly owner: boolean;
  /** The user's role in the organization of the device; null without a membership, or without an organization. */
  readonly organizationRole: OrganizationRole | null;
}

const BY_ORGANIZATION_ROLE: Readonly<Record<OrganizationRole, DevicePermission>> = {
  OWNER: 'admin',
  MANAGER: 'admin',
  OPERATOR: 'control',
  VIEWER: 'view',
};

/**
 * The only place that decides what a user may do with a device: every interface and the dispatch of commands use it.
 * @returns null when the user must not even learn that the device exists
 */
export function decidePermission({ owner, organizationRole }: DeviceTies): DevicePermission | null {
  if (owner) {
    return 'admin';
  }
  return organizationRole === null ? null : BY_ORGANIZATION_ROLE[organizationRole];
}

/** Whether a permission is sufficient. Each level includes the ones before it; `owner` takes the owner alone. */
export function permits(
  access: { permission: DevicePermission; owned: boolean },
  demand: DevicePermission | 'owner',
): boolean {
  return demand === 'owner' ? access.owned : grants(access.permission, demand);
}

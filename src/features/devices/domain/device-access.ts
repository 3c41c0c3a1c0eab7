import { DEVICE_PERMISSIONS, type DevicePermission } from '../../../contracts/devices.js';
import type { OrganizationRole } from '../../../contracts/resources.js';

/** What ties a person to a device. Shares join here. */
export interface DeviceTies {
  readonly owner: boolean;
  /** What the person is in the organization that the device belongs to; null when they are none there, or it to none. */
  readonly organizationRole: OrganizationRole | null;
}

const BY_ORGANIZATION_ROLE: Readonly<Record<OrganizationRole, DevicePermission>> = {
  OWNER: 'admin',
  MANAGER: 'admin',
  OPERATOR: 'control',
  VIEWER: 'view',
};

/**
 * The one decision about who may do what with a device: REST, sockets, SSE, dispatch, exports and webhooks all ask it.
 * Null means that the person must not even learn that the device exists.
 */
export function decidePermission({ owner, organizationRole }: DeviceTies): DevicePermission | null {
  if (owner) {
    return 'admin';
  }
  return organizationRole === null ? null : BY_ORGANIZATION_ROLE[organizationRole];
}

/** Whether a permission is enough; each level includes the ones before it, and only the owner is the owner. */
export function permits(
  access: { permission: DevicePermission; owned: boolean },
  demand: DevicePermission | 'owner',
): boolean {
  if (demand === 'owner') {
    return access.owned;
  }
  return DEVICE_PERMISSIONS.indexOf(access.permission) >= DEVICE_PERMISSIONS.indexOf(demand);
}

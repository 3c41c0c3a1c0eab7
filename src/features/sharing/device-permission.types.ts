import type { DevicePermission } from '../../contracts/devices.js';
import type { OrganizationRole } from '../../contracts/resources.js';

const BY_ORGANIZATION_ROLE: Readonly<Record<OrganizationRole, DevicePermission>> = {
  OWNER: 'admin',
  MANAGER: 'admin',
  OPERATOR: 'control',
  VIEWER: 'view',
};

/** What a role in the organization of a device gives. */
export function permissionOfRole(role: OrganizationRole): DevicePermission {
  return BY_ORGANIZATION_ROLE[role];
}

import { DEVICE_PERMISSIONS, type DevicePermission } from '../../contracts/devices.js';
import type { OrganizationRole } from '../../contracts/resources.js';

const BY_ORGANIZATION_ROLE: Readonly<Record<OrganizationRole, DevicePermission>> = {
  OWNER: 'admin',
  MANAGER: 'admin',
  OPERATOR: 'control',
  VIEWER: 'view',
};

/** What a person asks to do. */
export type AccessNeed = DevicePermission | 'manager' | 'owner';
export const ACCESS_NEEDS = [...DEVICE_PERMISSIONS, 'manager', 'owner'] as const satisfies readonly AccessNeed[];

/** What a role in the organization of a device gives. */
export function permissionOfRole(role: OrganizationRole): DevicePermission {
  return BY_ORGANIZATION_ROLE[role];
}

import { DEVICE_PERMISSIONS, type DevicePermission } from '../../../contracts/devices.js';

/** What ties a person to a device. Organization roles and shares join here. */
export interface DeviceTies {
  readonly owner: boolean;
}

/**
 * The one decision about who may do what with a device: REST, sockets, SSE, dispatch, exports and webhooks all ask it.
 * Null means that the person must not even learn that the device exists.
 */
export function decidePermission(ties: DeviceTies): DevicePermission | null {
  return ties.owner ? 'admin' : null;
}

/** Whether a permission is enough; each level includes the ones before it, and only the owner is the owner. */
export function permits(access: { permission: DevicePermission; owned: boolean }, demand: DevicePermission | 'owner'): boolean {
  if (demand === 'owner') {
    return access.owned;
  }
  return DEVICE_PERMISSIONS.indexOf(access.permission) >= DEVICE_PERMISSIONS.indexOf(demand);
}

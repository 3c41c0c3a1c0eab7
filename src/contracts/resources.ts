import type { DevicePermission } from './devices.js';

/** A device as seen by the person who asks: enough to decide, nothing to show. */
export interface DeviceRef {
  id: string;
  ownerId: string;
  permission: DevicePermission;
  owned: boolean;
}

/** Each kind of resource a route can name, what it can demand, and what the guard hands to the controller. */
export interface Resources {
  device: { demand: DevicePermission | 'owner'; ref: DeviceRef };
}
export type ResourceKind = keyof Resources;

/** What `@Authorize` takes: `device:control`. */
export type Demand = { [K in ResourceKind]: `${K}:${Resources[K]['demand']}` }[ResourceKind];

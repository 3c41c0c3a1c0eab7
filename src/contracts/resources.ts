import type { DevicePermission } from './devices.js';

/** A device as seen by the user of the request: enough to decide, nothing to show. */
export interface DeviceRef {
  id: string;
  ownerId: string;
  permission: DevicePermission;
  owned: boolean;
  /** The permission is `admin` by ownership or by the role in its organization, and not by a share alone. */
  managed: boolean;
}

/** Role of a member of an organization; each role includes the ones before it. */
export const ORGANIZATION_ROLES = ['VIEWER', 'OPERATOR', 'MANAGER', 'OWNER'] as const;
export type OrganizationRole = (typeof ORGANIZATION_ROLES)[number];

/** An organization as seen by a member. */
export interface OrganizationRef {
  id: string;
  role: OrganizationRole;
}

/** Each kind of resource a route can name, what it can demand, and what the guard passes to the controller. */
export interface Resources {
  device: { demand: DevicePermission | 'manager' | 'owner'; ref: DeviceRef };
  organization: { demand: Lowercase<OrganizationRole>; ref: OrganizationRef };
}
export type ResourceKind = keyof Resources;

/** What `@Authorize` takes for a resource that the route names: `device:control`. */
export type ResourceDemand = { [K in ResourceKind]: `${K}:${Resources[K]['demand']}` }[ResourceKind];

/** Platform roles that a route can demand: `maker` is also met by an administrator. */
export const ROLE_DEMANDS = ['admin', 'maker'] as const;
export type RoleDemand = (typeof ROLE_DEMANDS)[number];

/** `admin`, `maker`: a platform role. It gives no access to devices. */
export type Demand = ResourceDemand | RoleDemand;

/** Whom a demand means, where its name does not say it all. */
export const MEANT_BY: Readonly<Record<string, string>> = {
  admin: 'administrators: it takes the role `ADMIN`',
  maker: 'makers of devices: it takes the role `MAKER`, or `ADMIN`',
  'device:manager': 'the owner of the device and the managers of its organization: no share gives it',
} satisfies Partial<Record<Demand, string>>;

export function isRoleDemand(demand: Demand): demand is RoleDemand {
  return ROLE_DEMANDS.some((role) => role === demand);
}

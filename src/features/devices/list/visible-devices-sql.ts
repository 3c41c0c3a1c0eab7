import { ORGANIZATION_ROLES } from '../../../contracts/resources.js';
import { permissionOfRole } from '../../sharing/device-permission.types.js';

/**
 * One way in which a person ($1) gets to see devices. It adds the columns `permission` and `owned` to those of the devices `d`.
 * @param shares a row `(device_id, permission)` for each device whose share of this person is open
 * @param rest for the WHERE of the devices: further conditions, and the order and size of a page
 */
type Branch = (shares: string, rest: (owned: string) => string) => string;

const OWNED = `'admin'::device_permission`;

const BY_ROLE = `CASE m.role ${ORGANIZATION_ROLES.map(
  (role) => `WHEN '${role}' THEN '${permissionOfRole(role)}'::device_permission`,
).join(' ')} END`;

/** No device is in two of them. What gives the most counts, as in `decidePermission`. */
const BRANCHES: readonly Branch[] = [
  (_shares, rest) =>
    `(SELECT d.*, ${OWNED} AS permission, true AS owned FROM devices d WHERE d.owner_id = $1 AND ${rest('true')})`,
  (
    shares,
    rest,
  ) => `SELECT d.*, greatest(${BY_ROLE}, (SELECT s.permission FROM ${shares} WHERE s.device_id = d.id)) AS permission,
    false AS owned FROM memberships m CROSS JOIN LATERAL (
    SELECT d.* FROM devices d WHERE d.organization_id = m.organization_id AND d.owner_id <> $1 AND ${rest('false')}
  ) d WHERE m.user_id = $1`,
  (shares, rest) => `(SELECT d.*, s.permission, false AS owned FROM ${shares} JOIN devices d ON d.id = s.device_id
    WHERE d.owner_id <> $1 AND NOT EXISTS (
      SELECT FROM memberships m WHERE m.organization_id = d.organization_id AND m.user_id = $1
    ) AND ${rest('false')})`,
];

/**
 * All devices that the person sees, each once, with what they may do with it.
 * @param parameter the number of the first of two: the ids of the devices whose shares are open, and what each gives
 */
export function visibleDevices(parameter: number, rest: (owned: string) => string = () => 'true'): string {
  const shares = `unnest($${String(parameter)}::uuid[], $${String(parameter + 1)}::device_permission[]) AS s(device_id, permission)`;
  return BRANCHES.map((branch) => branch(shares, rest)).join('\n      UNION ALL\n      ');
}

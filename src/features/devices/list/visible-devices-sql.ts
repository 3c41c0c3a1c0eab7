import { ORGANIZATION_ROLES } from '../../../contracts/resources.js';
import { decidePermission } from '../domain/device-access.js';

/**
 * One way in which a person ($1) gets to see devices. It adds the columns `permission` and `owned` to those of the devices `d`.
 * @param rest for the WHERE of the devices: further conditions, and the order and size of a page
 */
type Branch = (rest: (owned: string) => string) => string;

const OWNED = `'${String(decidePermission({ owner: true, organizationRole: null }))}'`;

/** `decidePermission` as SQL. */
const BY_ROLE = `CASE m.role ${ORGANIZATION_ROLES.map(
  (role) => `WHEN '${role}' THEN '${String(decidePermission({ owner: false, organizationRole: role }))}'`,
).join(' ')} END`;

/** No device is in two of them. */
const BRANCHES: readonly Branch[] = [
  (rest) =>
    `(SELECT d.*, ${OWNED} AS permission, true AS owned FROM devices d WHERE d.owner_id = $1 AND ${rest('true')})`,
  (rest) => `SELECT d.*, ${BY_ROLE} AS permission, false AS owned FROM memberships m CROSS JOIN LATERAL (
    SELECT d.* FROM devices d WHERE d.organization_id = m.organization_id AND d.owner_id <> $1 AND ${rest('false')}
  ) d WHERE m.user_id = $1`,
];

/** All devices that the person sees, each once, with what they may do with it. */
export function visibleDevices(rest: (owned: string) => string = () => 'true'): string {
  return BRANCHES.map((branch) => branch(rest)).join('\n      UNION ALL\n      ');
}

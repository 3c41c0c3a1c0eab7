import { ORGANIZATION_ROLES, type OrganizationRole } from '../../../contracts/resources.js';

/** Whether a role is at least another; each includes the ones below it. */
export function reaches(role: OrganizationRole, needed: OrganizationRole): boolean {
  return ORGANIZATION_ROLES.indexOf(role) >= ORGANIZATION_ROLES.indexOf(needed);
}

/**
 * Whether a member with the role `actor` may give another member this role, or take it away: an owner may for every
 * role, a manager for the roles below their own. Decides about invitations, role changes and removals alike.
 */
export function canAssignRole(actor: OrganizationRole, role: OrganizationRole): boolean {
  return actor === 'OWNER' || (actor === 'MANAGER' && !reaches(role, 'MANAGER'));
}

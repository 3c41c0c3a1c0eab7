import { ORGANIZATION_ROLES, type OrganizationRole } from '../../../contracts/resources.js';

/** Whether a role is at least another; each includes the ones below it. */
export function reaches(role: OrganizationRole, needed: OrganizationRole): boolean {
  return ORGANIZATION_ROLES.indexOf(role) >= ORGANIZATION_ROLES.indexOf(needed);
}

/**
 * Whether somebody may give a role, and take it away again: an owner every role, a manager those below their own.
 * Inviting, changing and removing people all ask this.
 */
export function disposes(actor: OrganizationRole, role: OrganizationRole): boolean {
  return actor === 'OWNER' || (actor === 'MANAGER' && !reaches(role, 'MANAGER'));
}

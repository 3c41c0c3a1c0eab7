import type { OrganizationRole } from '../../contracts/resources.js';
import { ForbiddenError } from '../../platform/auth/auth.errors.js';
import { canAssignRole } from './domain/roles.js';
import { LastOwnerError, MemberCannotActError } from './organizations.errors.js';

/** What was read of both users of a change: it does not change until the transaction ends. */
export interface LockedRoles {
  readonly actor: OrganizationRole;
  readonly member: OrganizationRole;
  /** Whether the account of the member is neither blocked nor deleted. */
  readonly memberCanAct: boolean;
  /** Owners besides the member who can act. */
  readonly otherOwners: number;
}

/** @throws ForbiddenError when the actor may not assign all of these roles. */
export function requireAssignable(actor: OrganizationRole, ...roles: readonly OrganizationRole[]): void {
  if (!roles.every((role) => canAssignRole(actor, role))) {
    throw new ForbiddenError('organization:owner');
  }
}

/** An organization without an owner could never get one again. */
export function refuseLastOwner({ member, otherOwners }: LockedRoles): void {
  if (member === 'OWNER' && otherOwners === 0) {
    throw new LastOwnerError();
  }
}

/** Neither a role that leaves it without an owner, nor an owner who cannot act. */
export function refuseUnfitOwner(roles: LockedRoles, role: OrganizationRole): void {
  if (role !== 'OWNER') {
    refuseLastOwner(roles);
  } else if (!roles.memberCanAct) {
    throw new MemberCannotActError();
  }
}

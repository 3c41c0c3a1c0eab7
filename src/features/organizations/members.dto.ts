import { IsIn } from 'class-validator';
import { ORGANIZATION_ROLES, type OrganizationRole } from '../../contracts/resources.js';
import type { Page } from '../../shared/paging.js';
import type { Member } from './organizations.types.js';

/** The new role of a member. */
export class ChangeRoleDto {
  /**
   * A manager may give the roles below their own, an owner any.
   * @example OPERATOR
   */
  @IsIn(ORGANIZATION_ROLES)
  role!: OrganizationRole;
}

/** A person in an organization. */
export class MemberDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  userId!: string;

  /** @example ada@example.com */
  email!: string;

  /** @example "Ada Lovelace" */
  displayName!: string;

  /**
   * `OWNER` and `MANAGER` administer its devices, `OPERATOR` controls them, `VIEWER` looks at them.
   * @example OPERATOR
   */
  role!: OrganizationRole;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  joinedAt!: string;
}

/** One page of members, in the order in which they joined. */
export class MemberPageDto {
  items!: MemberDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJtZW1iZXJzIiwiMjAyNi0xMS0yMFQxODowMDowMC4wMDBaIiwiMDE5YTlmM2UtNmIxYS03YzQ0LTlkMGUtMmY2ZjNhMWI4YzU1Il0
   */
  nextCursor!: string | null;
}

export function toMemberDto(member: Member): Readonly<MemberDto> {
  return {
    userId: member.userId,
    email: member.email,
    displayName: member.displayName,
    role: member.role,
    joinedAt: member.joinedAt.toISOString(),
  };
}

export function toMemberPageDto({ items, nextCursor }: Page<Member>): Readonly<MemberPageDto> {
  return { items: items.map(toMemberDto), nextCursor };
}

import { Injectable } from '@nestjs/common';
import { Prisma } from '../../generated/prisma/client.js';
import type { OrganizationRole } from '../../contracts/resources.js';
import { arrayParam } from '../../platform/prisma/array-param.js';
import { Database } from '../../platform/prisma/database.js';
import type { CreationPosition } from '../../shared/cursor.js';
import { CAN_ACT, canAct, canActSql } from '../users/account-standing.types.js';
import type { Member } from './organizations.types.js';

/** The roles of two users in an organization, and how many owners besides the second one can act. */
export interface MembershipRoles {
  readonly actor: OrganizationRole | null;
  readonly member: OrganizationRole | null;
  readonly otherOwners: number;
}

/** A deleted account keeps its memberships, because it can be restored, but no query counts them. */
const OF_LIVE_USERS = { user: { deletedAt: null } } satisfies Prisma.MembershipWhereInput;
const MEMBERS = 'memberships m JOIN users u ON u.id = m.user_id AND u.deleted_at IS NULL';
/** A blocked one keeps its memberships, too, and is listed, but its roles give it nothing. */
const OF_ACTING_USERS = { user: CAN_ACT } satisfies Prisma.MembershipWhereInput;

// SQL: a keyset
const LIST = `SELECT m.user_id AS "userId", u.email, u.display_name AS "displayName", m.role, m.created_at AS "joinedAt"
  FROM ${MEMBERS}
  WHERE m.organization_id = $1 AND ($3::timestamptz IS NULL OR (m.created_at, m.user_id) > ($3, $4::uuid))
  ORDER BY m.created_at, m.user_id LIMIT $2`;

// SQL: a lock
const LOCK_ROLE = `SELECT m.role FROM memberships m JOIN users u ON u.id = m.user_id AND ${canActSql('u')}
  WHERE m.organization_id = $1 AND m.user_id = $2 FOR SHARE OF m`;

// SQL: a lock
const LOCK_ORGANIZATION = 'SELECT 1 FROM organizations WHERE id = $1 FOR NO KEY UPDATE';

// SQL: a lock
const LOCK_OWNED = `SELECT 1 FROM organizations WHERE id IN (
    SELECT organization_id FROM memberships WHERE user_id = ANY ($1::uuid[]) AND role = 'OWNER'
  ) ORDER BY id FOR NO KEY UPDATE`;

@Injectable()
export class MembershipsRepository {
  constructor(private readonly database: Database) {}

  /** All of which a user is a member. */
  async listOrganizationIds(userId: string): Promise<string[]> {
    const memberships = await this.database.prisma((prisma) =>
      prisma.membership.findMany({ where: { userId }, select: { organizationId: true } }),
    );
    return memberships.map(({ organizationId }) => organizationId);
  }

  async findRole(organizationId: string, userId: string): Promise<OrganizationRole | null> {
    const membership = await this.database.prisma((prisma) =>
      prisma.membership.findFirst({
        where: { organizationId, userId, ...OF_ACTING_USERS },
        select: { role: true },
      }),
    );
    return membership?.role ?? null;
  }

  /** The organizations of each of these users who can act, in the order of the users: as many as one may have. */
  async listOrganizationsOf(userIds: readonly string[]): Promise<string[][]> {
    // SQL: a set-based batch
    const rows = await this.database.query<{ ids: string[] }>(
      'memberships_of_users',
      `SELECT coalesce(array_agg(m.organization_id::text) FILTER (WHERE m.organization_id IS NOT NULL), '{}') AS ids
         FROM unnest(${arrayParam(1, 'uuid')}) WITH ORDINALITY AS a(user_id, place)
         LEFT JOIN users u ON u.id = a.user_id AND ${canActSql('u')}
         LEFT JOIN memberships m ON m.user_id = u.id
        GROUP BY a.place ORDER BY a.place`,
      [userIds],
    );
    return rows.map(({ ids }) => ids);
  }

  /** The same, and the role does not change until the transaction ends. */
  async lockRole(organizationId: string, userId: string): Promise<OrganizationRole | null> {
    const [row] = await this.database.query<{ role: OrganizationRole }>('memberships_lock_role', LOCK_ROLE, [
      organizationId,
      userId,
    ]);
    return row?.role ?? null;
  }

  /**
   * Blocks other changes of this organization and its members until the transaction ends.
   * @returns false when it does not exist
   */
  async lockOrganization(id: string): Promise<boolean> {
    return (await this.database.query('organizations_lock', LOCK_ORGANIZATION, [id])).length === 1;
  }

  /**
   * The organizations that `userIds` own and that have no owner outside of `userIds` who can act, with each of these owners.
   * Locks the organizations they own until the transaction ends: of two transactions that remove owners, the second sees
   * what the first did.
   */
  async listSolelyOwned(userIds: readonly string[]): Promise<{ userId: string; organizationId: string }[]> {
    await this.database.query('memberships_lock_owned', LOCK_OWNED, [userIds]);
    return this.database.prisma((prisma) =>
      prisma.membership.findMany({
        where: {
          userId: { in: [...userIds] },
          role: 'OWNER',
          organization: {
            memberships: { none: { role: 'OWNER', userId: { notIn: [...userIds] }, ...OF_ACTING_USERS } },
          },
        },
        select: { userId: true, organizationId: true },
      }),
    );
  }

  /** Members in the order in which they joined; one more than `limit`, if there are more. */
  list(organizationId: string, limit: number, after: CreationPosition | null): Promise<Member[]> {
    return this.database.query('memberships_list', LIST, [organizationId, limit + 1, ...(after ?? [null, null])]);
  }

  async find(organizationId: string, userId: string): Promise<Member | null> {
    const row = await this.database.prisma((prisma) =>
      prisma.membership.findFirst({
        where: { organizationId, userId, ...OF_LIVE_USERS },
        select: { userId: true, role: true, createdAt: true, user: { select: { email: true, displayName: true } } },
      }),
    );
    return row && { userId: row.userId, ...row.user, role: row.role, joinedAt: row.createdAt };
  }

  /** Call it with the organization locked. */
  async findRoles(organizationId: string, actorId: string, memberId: string): Promise<MembershipRoles> {
    const rows = await this.database.prisma((prisma) =>
      prisma.membership.findMany({
        where: { organizationId, ...OF_LIVE_USERS, OR: [{ role: 'OWNER' }, { userId: { in: [actorId, memberId] } }] },
        select: { userId: true, role: true, user: { select: { blockedAt: true, deletedAt: true } } },
      }),
    );
    const roleOf = (id: string): OrganizationRole | null => rows.find(({ userId }) => userId === id)?.role ?? null;
    return {
      actor: roleOf(actorId),
      member: roleOf(memberId),
      otherOwners: rows.filter(({ role, userId, user }) => role === 'OWNER' && userId !== memberId && canAct(user))
        .length,
    };
  }

  /** Of how many organizations a user is a member. */
  count(userId: string): Promise<number> {
    return this.database.prisma((prisma) => prisma.membership.count({ where: { userId } }));
  }

  /** Whether the account with this e-mail address is a member. */
  async hasEmail(organizationId: string, email: string): Promise<boolean> {
    const membership = await this.database.prisma((prisma) =>
      prisma.membership.findFirst({
        where: { organizationId, user: { email, deletedAt: null } },
        select: { userId: true },
      }),
    );
    return membership !== null;
  }

  /** @returns false when the user is a member already. */
  async add(organizationId: string, userId: string, role: OrganizationRole): Promise<boolean> {
    const { count } = await this.database.prisma((prisma) =>
      prisma.membership.createMany({ data: [{ organizationId, userId, role }], skipDuplicates: true }),
    );
    return count === 1;
  }

  /** @returns false when the role of the user is not `from`. */
  async changeRole(
    organizationId: string,
    userId: string,
    { from, to }: { readonly from: OrganizationRole; readonly to: OrganizationRole },
  ): Promise<boolean> {
    const { count } = await this.database.prisma((prisma) =>
      prisma.membership.updateMany({ where: { organizationId, userId, role: from }, data: { role: to } }),
    );
    return count === 1;
  }

  async removeAll(organizationId: string): Promise<void> {
    await this.database.prisma((prisma) => prisma.membership.deleteMany({ where: { organizationId } }));
  }

  /** @returns false when the user is not a member. */
  async remove(organizationId: string, userId: string): Promise<boolean> {
    const { count } = await this.database.prisma((prisma) =>
      prisma.membership.deleteMany({ where: { organizationId, userId } }),
    );
    return count === 1;
  }
}

import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../contracts/resources.js';
import { Database } from '../../platform/prisma/database.js';
import type { CreationPosition } from '../../shared/cursor.js';
import type { Member } from './organizations.types.js';

/** What two people are in an organization, and how many owners there are, at the moment it was locked. */
export interface Standing {
  readonly actor: OrganizationRole | null;
  readonly subject: OrganizationRole | null;
  readonly owners: number;
}

interface MemberRow {
  user_id: string;
  email: string;
  display_name: string;
  role: OrganizationRole;
  created_at: Date;
}

/** Members whose account is deleted are none until it is restored: their rows stay, and nothing counts them. */
const MEMBERS = `memberships m JOIN users u ON u.id = m.user_id AND u.deleted_at IS NULL`;

@Injectable()
export class MembershipsRepository {
  constructor(private readonly database: Database) {}

  async findRole(organizationId: string, userId: string): Promise<OrganizationRole | null> {
    const [row] = await this.database.query<{ role: OrganizationRole }>(
      'memberships_role',
      `SELECT m.role FROM ${MEMBERS} WHERE m.organization_id = $1 AND m.user_id = $2`,
      [organizationId, userId],
    );
    return row?.role ?? null;
  }

  /** What a person is, and stays until the end of the transaction. */
  async holdRole(organizationId: string, userId: string): Promise<OrganizationRole | null> {
    const [row] = await this.database.query<{ role: OrganizationRole }>(
      'memberships_hold',
      `SELECT m.role FROM ${MEMBERS} WHERE m.organization_id = $1 AND m.user_id = $2 FOR SHARE OF m`,
      [organizationId, userId],
    );
    return row?.role ?? null;
  }

  /**
   * Those of these people without whom an organization would have no owner. Its owners stay what they are until the
   * transaction ends: of two that ask, the second looks when the first has ended.
   */
  async listSoleOwners(userIds: readonly string[]): Promise<string[]> {
    await this.database.query(
      'memberships_lock_owned',
      `SELECT 1 FROM organizations WHERE id IN (
         SELECT organization_id FROM memberships WHERE user_id = ANY ($1::uuid[]) AND role = 'OWNER'
       ) ORDER BY id FOR NO KEY UPDATE`,
      [userIds],
    );
    const rows = await this.database.query<{ user_id: string }>(
      'memberships_sole_owners',
      `SELECT DISTINCT owned.user_id FROM memberships owned
       WHERE owned.user_id = ANY ($1::uuid[]) AND owned.role = 'OWNER' AND NOT EXISTS (
         SELECT 1 FROM ${MEMBERS}
         WHERE m.organization_id = owned.organization_id AND m.role = 'OWNER' AND m.user_id <> ALL ($1::uuid[])
       )`,
      [userIds],
    );
    return rows.map(({ user_id: userId }) => userId);
  }

  /** Members in the order in which they joined; one more than `limit`, if there are more. */
  async list(organizationId: string, limit: number, after: CreationPosition | null): Promise<Member[]> {
    const rows = await this.database.query<MemberRow>(
      'memberships_list',
      `SELECT m.user_id, u.email, u.display_name, m.role, m.created_at
       FROM ${MEMBERS}
       WHERE m.organization_id = $1 AND ($3::timestamptz IS NULL OR (m.created_at, m.user_id) > ($3, $4::uuid))
       ORDER BY m.created_at, m.user_id LIMIT $2`,
      [organizationId, limit + 1, ...(after ?? [null, null])],
    );
    return rows.map(toMember);
  }

  async find(organizationId: string, userId: string): Promise<Member | null> {
    const [row] = await this.database.query<MemberRow>(
      'memberships_find',
      `SELECT m.user_id, u.email, u.display_name, m.role, m.created_at
       FROM ${MEMBERS} WHERE m.organization_id = $1 AND m.user_id = $2`,
      [organizationId, userId],
    );
    return row ? toMember(row) : null;
  }

  /** Call it with the organization locked. */
  async standing(organizationId: string, actorId: string, subjectId: string): Promise<Standing> {
    const [row] = await this.database.query<{ actor: OrganizationRole; subject: OrganizationRole; owners: number }>(
      'memberships_standing',
      `SELECT (array_agg(m.role) FILTER (WHERE m.user_id = $2))[1] AS actor,
         (array_agg(m.role) FILTER (WHERE m.user_id = $3))[1] AS subject,
         count(*) FILTER (WHERE m.role = 'OWNER')::int AS owners
       FROM ${MEMBERS} WHERE m.organization_id = $1`,
      [organizationId, actorId, subjectId],
    );
    return { actor: row?.actor ?? null, subject: row?.subject ?? null, owners: row?.owners ?? 0 };
  }

  /** Whether the account with this address is a member. */
  async hasAddress(organizationId: string, email: string): Promise<boolean> {
    const rows = await this.database.query(
      'memberships_address',
      `SELECT 1 FROM ${MEMBERS} WHERE m.organization_id = $1 AND u.email = $2`,
      [organizationId, email],
    );
    return rows.length === 1;
  }

  /** @returns false for somebody who is a member already. */
  async add(organizationId: string, userId: string, role: OrganizationRole): Promise<boolean> {
    const rows = await this.database.query(
      'memberships_add',
      'INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1',
      [organizationId, userId, role],
    );
    return rows.length === 1;
  }

  /** @returns false when the person is not `from` (any more). */
  async change(
    organizationId: string,
    userId: string,
    { from, to }: { readonly from: OrganizationRole; readonly to: OrganizationRole },
  ): Promise<boolean> {
    const rows = await this.database.query(
      'memberships_change',
      'UPDATE memberships SET role = $4 WHERE organization_id = $1 AND user_id = $2 AND role = $3 RETURNING 1',
      [organizationId, userId, from, to],
    );
    return rows.length === 1;
  }

  async removeAll(organizationId: string): Promise<void> {
    await this.database.query('memberships_remove_all', 'DELETE FROM memberships WHERE organization_id = $1', [
      organizationId,
    ]);
  }

  /** @returns false for somebody who is no member. */
  async remove(organizationId: string, userId: string): Promise<boolean> {
    const rows = await this.database.query(
      'memberships_remove',
      'DELETE FROM memberships WHERE organization_id = $1 AND user_id = $2 RETURNING 1',
      [organizationId, userId],
    );
    return rows.length === 1;
  }
}

function toMember(row: MemberRow): Member {
  return {
    userId: row.user_id,
    email: row.email,
    displayName: row.display_name,
    role: row.role,
    joinedAt: row.created_at,
  };
}

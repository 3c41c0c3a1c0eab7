import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../contracts/resources.js';
import { Database } from '../../platform/prisma/database.js';
import type { CreationPosition } from '../../shared/cursor.js';
import { OrganizationNotFoundError } from './organizations.errors.js';
import type { Organization } from './organizations.types.js';

const COLUMNS = 'o.id, o.name, o.version, o.created_at, o.updated_at, m.role';
const MINE = `SELECT ${COLUMNS} FROM memberships m JOIN organizations o ON o.id = m.organization_id WHERE m.user_id = $1`;

interface OrganizationRow {
  id: string;
  name: string;
  role: OrganizationRole;
  version: number;
  created_at: Date;
  updated_at: Date;
}

@Injectable()
export class OrganizationsRepository {
  constructor(private readonly database: Database) {}

  async create(name: string, ownerId: string): Promise<string> {
    const { id } = await this.database.prisma((prisma) =>
      prisma.organization.create({
        data: { name, memberships: { create: { userId: ownerId, role: 'OWNER' } } },
        select: { id: true },
      }),
    );
    return id;
  }

  /** As a member sees it. @throws OrganizationNotFoundError */
  async get(userId: string, id: string): Promise<Organization> {
    const [row] = await this.database.query<OrganizationRow>('organizations_get', `${MINE} AND o.id = $2`, [
      userId,
      id,
    ]);
    if (!row) {
      throw new OrganizationNotFoundError(id);
    }
    return toOrganization(row);
  }

  /** Those a person is a member of; one more than `limit`, if there are more. */
  async list(userId: string, limit: number, after: CreationPosition | null): Promise<Organization[]> {
    const rows = await this.database.query<OrganizationRow>(
      'organizations_list',
      `${MINE} AND ($3::timestamptz IS NULL OR (o.created_at, o.id) > ($3, $4::uuid))
       ORDER BY o.created_at, o.id LIMIT $2`,
      [userId, limit + 1, ...(after ?? [null, null])],
    );
    return rows.map(toOrganization);
  }

  /**
   * Holds off everybody else who changes this organization or its people until the transaction ends.
   * @returns false when it does not exist
   */
  async lock(id: string): Promise<boolean> {
    const rows = await this.database.query(
      'organizations_lock',
      'SELECT 1 FROM organizations WHERE id = $1 FOR NO KEY UPDATE',
      [id],
    );
    return rows.length === 1;
  }

  /** @returns false when it is not there in the wanted version. */
  async rename(id: string, name: string, version: number | undefined): Promise<boolean> {
    const rows = await this.database.query(
      'organizations_rename',
      `UPDATE organizations SET name = $2, version = version + 1, updated_at = now()
       WHERE id = $1 AND ($3::int IS NULL OR version = $3) RETURNING 1`,
      [id, name, version ?? null],
    );
    return rows.length === 1;
  }

  /** @returns false when it was not there in the wanted version. */
  async delete(id: string, version: number | undefined): Promise<boolean> {
    const rows = await this.database.query(
      'organizations_delete',
      'DELETE FROM organizations WHERE id = $1 AND ($2::int IS NULL OR version = $2) RETURNING 1',
      [id, version ?? null],
    );
    return rows.length === 1;
  }
}

function toOrganization(row: OrganizationRow): Organization {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

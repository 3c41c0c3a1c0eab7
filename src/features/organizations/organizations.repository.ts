import { Injectable } from '@nestjs/common';
import { Prisma } from '../../generated/prisma/client.js';
import { Database } from '../../platform/prisma/database.js';
import type { CreationPosition } from '../../shared/cursor.js';
import { OrganizationNotFoundError } from './organizations.errors.js';
import type { Organization } from './organizations.types.js';

// SQL: a keyset
const LIST = `SELECT o.id, o.name, m.role, o.version, o.created_at AS "createdAt", o.updated_at AS "updatedAt"
  FROM memberships m JOIN organizations o ON o.id = m.organization_id
  WHERE m.user_id = $1 AND ($3::timestamptz IS NULL OR (o.created_at, o.id) > ($3, $4::uuid))
  ORDER BY o.created_at, o.id LIMIT $2`;

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

  /** With the role of the user in it. @throws OrganizationNotFoundError also when the user is not a member */
  async get(userId: string, id: string): Promise<Organization> {
    const row = await this.database.prisma((prisma) =>
      prisma.organization.findFirst({
        where: { id, memberships: { some: { userId } } },
        select: {
          id: true,
          name: true,
          version: true,
          createdAt: true,
          updatedAt: true,
          memberships: { where: { userId }, select: { role: true } },
        },
      }),
    );
    // Prisma reads the membership by a second statement, which may find that it has ended.
    const [membership] = row?.memberships ?? [];
    if (!row || !membership) {
      throw new OrganizationNotFoundError(id);
    }
    const { name, version, createdAt, updatedAt } = row;
    return { id: row.id, name, role: membership.role, version, createdAt, updatedAt };
  }

  /** Organizations of a user, oldest first; one more than `limit`, if there are more. */
  list(userId: string, limit: number, after: CreationPosition | null): Promise<Organization[]> {
    return this.database.query('organizations_list', LIST, [userId, limit + 1, ...(after ?? [null, null])]);
  }

  /** @returns false when it does not exist in one of the wanted versions. */
  async rename(id: string, name: string, versions: readonly number[] | undefined): Promise<boolean> {
    const { count } = await this.database.prisma((prisma) =>
      prisma.organization.updateMany({
        where: { id, version: versions ? { in: [...versions] } : Prisma.skip },
        data: { name, version: { increment: 1 } },
      }),
    );
    return count === 1;
  }

  /** @returns false when it did not exist in one of the wanted versions. */
  async delete(id: string, versions: readonly number[] | undefined): Promise<boolean> {
    const { count } = await this.database.prisma((prisma) =>
      prisma.organization.deleteMany({ where: { id, version: versions ? { in: [...versions] } : Prisma.skip } }),
    );
    return count === 1;
  }
}

import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../contracts/resources.js';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { ForbiddenError } from '../../platform/auth/auth.errors.js';
import { IdempotencyService } from '../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../shared/cursor.js';
import { type Page, toPage } from '../../shared/paging.js';
import { reaches } from './domain/roles.js';
import { MembershipsService } from './memberships.service.js';
import { OrganizationChangedError } from './organizations.errors.js';
import { OrganizationsRepository } from './organizations.repository.js';
import type { Organization, PageRequest } from './organizations.types.js';

/** Organizations themselves; their members are the business of {@link MembershipsService}. */
@Injectable()
export class OrganizationsService {
  constructor(
    private readonly repository: OrganizationsRepository,
    private readonly memberships: MembershipsService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** Organizations of a user, oldest first. @throws InvalidCursorError */
  async list(userId: string, { limit, cursor }: PageRequest): Promise<Page<Organization>> {
    const after = decodeCursor('organizations', cursor, CREATION_PARTS);
    return toPage(
      await this.repository.list(userId, limit, after),
      limit,
      (organization) => organization,
      ({ createdAt, id }) => encodeCursor('organizations', [createdAt.toISOString(), id]),
    );
  }

  /** With the role of the user in it. @throws OrganizationNotFoundError also when the user is not a member */
  get(userId: string, organizationId: string): Promise<Organization> {
    return this.repository.get(userId, organizationId);
  }

  /**
   * Creates an organization, which belongs to the user. A repeat under the same idempotency key returns the first one.
   * @throws TooManyOrganizationsError
   */
  create(userId: string, name: string): Promise<Organization> {
    return this.transactions.run(async () => {
      const { id } = await this.idempotency.once(async () => {
        await this.memberships.requireRoom(userId);
        const id = await this.repository.create(name, userId);
        await this.audit.record({ entity: { type: 'organization', id }, after: { name, ownerId: userId } });
        return id;
      });
      return this.repository.get(userId, id);
    });
  }

  /**
   * @param versions one of which it must have; any when they are left out
   * @throws OrganizationNotFoundError, OrganizationChangedError
   * @throws ForbiddenError when the user was a manager, and is none any more
   */
  rename(userId: string, id: string, name: string, versions?: readonly number[]): Promise<Organization> {
    return this.transactions.run(async () => {
      const before = await this.getLocked(userId, id, 'MANAGER');
      if (!(await this.repository.rename(id, name, versions))) {
        throw new OrganizationChangedError();
      }
      await this.audit.record({
        entity: { type: 'organization', id },
        before: { name: before.name },
        after: { name },
      });
      return this.repository.get(userId, id);
    });
  }

  /**
   * Deletes an organization with its memberships and invitations. Its devices stay with their owners, and no other
   * member sees them any more.
   * @throws OrganizationNotFoundError, OrganizationChangedError
   * @throws ForbiddenError when the user was an owner, and is none any more
   */
  delete(userId: string, id: string, versions?: readonly number[]): Promise<void> {
    return this.transactions.run(async () => {
      const { name } = await this.getLocked(userId, id, 'OWNER');
      await this.memberships.removeAll(id);
      if (!(await this.repository.delete(id, versions))) {
        throw new OrganizationChangedError();
      }
      await this.audit.record({ entity: { type: 'organization', id }, before: { name } });
    });
  }

  private async getLocked(userId: string, id: string, needed: OrganizationRole): Promise<Organization> {
    if (!reaches(await this.memberships.lockOwnRole(id, userId), needed)) {
      throw new ForbiddenError(`organization:${needed === 'OWNER' ? 'owner' : 'manager'}`);
    }
    return this.repository.get(userId, id);
  }
}

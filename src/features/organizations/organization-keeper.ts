import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { Idempotency } from '../../platform/idempotency/idempotency.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { OrganizationChangedError, OrganizationNotFoundError } from './organizations.errors.js';
import { OrganizationsRepository } from './organizations.repository.js';
import type { Organization } from './organizations.types.js';
import { Roster } from './roster.js';

/** How organizations come, change their name, and go. */
@Injectable()
export class OrganizationKeeper {
  constructor(
    private readonly repository: OrganizationsRepository,
    private readonly roster: Roster,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly idempotency: Idempotency,
  ) {}

  /** Makes an organization; who makes it owns it. A repeat under the same idempotency key answers with the first one. */
  create(userId: string, name: string): Promise<Organization> {
    return this.transactions.run(async () => {
      const { id } = await this.idempotency.once(async () => {
        const id = await this.repository.create(name, userId);
        await this.audit.record({ entity: { type: 'organization', id }, after: { name, ownerId: userId } });
        return id;
      });
      return this.repository.get(userId, id);
    });
  }

  /**
   * @param version the one it must have, if that matters
   * @throws OrganizationNotFoundError, OrganizationChangedError
   */
  rename(userId: string, id: string, name: string, version?: number): Promise<Organization> {
    return this.transactions.run(async () => {
      const before = await this.locked(userId, id);
      if (!(await this.repository.rename(id, name, version))) {
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
   * Ends an organization with its memberships and invitations. Its devices stay with their owners, and nobody else
   * sees them any more.
   * @throws OrganizationNotFoundError, OrganizationChangedError
   */
  delete(userId: string, id: string, version?: number): Promise<void> {
    return this.transactions.run(async () => {
      const { name } = await this.locked(userId, id);
      await this.roster.dissolve(id);
      if (!(await this.repository.delete(id, version))) {
        throw new OrganizationChangedError();
      }
      await this.audit.record({ entity: { type: 'organization', id }, before: { name } });
    });
  }

  private async locked(userId: string, id: string): Promise<Organization> {
    if (!(await this.repository.lock(id))) {
      throw new OrganizationNotFoundError(id);
    }
    return this.repository.get(userId, id);
  }
}

import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../contracts/resources.js';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { ForbiddenError } from '../../platform/auth/auth.errors.js';
import { Idempotency } from '../../platform/idempotency/idempotency.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { type Page, toPage } from '../../shared/paging.js';
import { disposes } from './domain/roles.js';
import { decodePosition, encodePosition } from './list-position.js';
import { MembershipsRepository } from './memberships.repository.js';
import { MemberNotFoundError, TransferToSelfError } from './organizations.errors.js';
import type { Member, PageRequest } from './organizations.types.js';
import { type Errand, refuseLastOwner, Roster } from './roster.js';

/** The people of an organization. It has an owner at every moment, however many change it at once. */
@Injectable()
export class MembershipsService {
  constructor(
    private readonly roster: Roster,
    private readonly memberships: MembershipsRepository,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly once: Idempotency,
  ) {}

  /** In the order in which they joined. @throws InvalidOrganizationCursorError */
  async list(organizationId: string, { limit, cursor }: PageRequest): Promise<Page<Member>> {
    const rows = await this.memberships.list(organizationId, limit, decodePosition(cursor));
    return toPage(
      rows,
      limit,
      (member) => member,
      ({ joinedAt, userId }) => encodePosition({ createdAt: joinedAt, id: userId }),
    );
  }

  /**
   * Gives a member another role: a manager between those below their own, an owner any.
   * @throws MemberNotFoundError, ForbiddenError, LastOwnerError
   */
  changeRole(errand: Errand, role: OrganizationRole): Promise<Member> {
    return this.transactions.run(async () => {
      const standing = await this.roster.lock(errand);
      if (!disposes(standing.actor, standing.subject) || !disposes(standing.actor, role)) {
        throw new ForbiddenError('organization:owner');
      }
      if (role !== 'OWNER') {
        refuseLastOwner(standing);
      }
      await this.change(errand, standing.subject, role);
      await this.record(errand, standing.subject, role);
      return this.get(errand);
    });
  }

  /** Takes a member out, with their devices. @throws MemberNotFoundError, ForbiddenError, LastOwnerError */
  remove(errand: Errand): Promise<void> {
    return this.transactions.run(async () => {
      const standing = await this.roster.lock(errand);
      if (!disposes(standing.actor, standing.subject)) {
        throw new ForbiddenError('organization:owner');
      }
      await this.roster.remove(errand, standing);
      await this.record(errand, standing.subject, null);
    });
  }

  /** Goes, with one's devices. @throws LastOwnerError */
  leave(organizationId: string, userId: string): Promise<void> {
    const errand: Errand = { organizationId, actorId: userId, subjectId: userId };
    return this.once.change(organizationId, async () => {
      const standing = await this.roster.lock(errand);
      await this.roster.remove(errand, standing);
      await this.record(errand, standing.subject, null);
    });
  }

  /**
   * Makes another member an owner and the actor a manager, in one step.
   * @throws MemberNotFoundError, ForbiddenError, TransferToSelfError
   */
  transfer(errand: Errand): Promise<void> {
    return this.once.change(errand.organizationId, async () => {
      const standing = await this.roster.lock(errand);
      if (standing.actor !== 'OWNER') {
        throw new ForbiddenError('organization:owner');
      }
      if (errand.actorId === errand.subjectId) {
        throw new TransferToSelfError();
      }
      await this.change(errand, standing.subject, 'OWNER');
      await this.change({ ...errand, subjectId: errand.actorId }, 'OWNER', 'MANAGER');
      await this.audit.record({
        entity: { type: 'organization', id: errand.organizationId },
        before: { ownerId: errand.actorId },
        after: { ownerId: errand.subjectId },
      });
    });
  }

  private async change(errand: Errand, from: OrganizationRole, to: OrganizationRole): Promise<void> {
    if (!(await this.memberships.change(errand.organizationId, errand.subjectId, { from, to }))) {
      throw new MemberNotFoundError(errand.subjectId);
    }
    this.roster.changed(errand.organizationId);
  }

  private async get({ organizationId, subjectId }: Errand): Promise<Member> {
    const member = await this.memberships.find(organizationId, subjectId);
    if (!member) {
      throw new MemberNotFoundError(subjectId);
    }
    return member;
  }

  private record({ organizationId, subjectId }: Errand, from: OrganizationRole, to: OrganizationRole | null) {
    return this.audit.record({
      entity: { type: 'organization', id: organizationId },
      before: { userId: subjectId, role: from },
      ...(to === null ? {} : { after: { userId: subjectId, role: to } }),
    });
  }
}

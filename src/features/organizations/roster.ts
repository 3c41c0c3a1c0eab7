import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../contracts/resources.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { Signals } from '../../platform/redis/signals.js';
import { isUuid } from '../../shared/ids.js';
import { MembershipsRepository } from './memberships.repository.js';
import {
  AlreadyMemberError,
  LastOwnerError,
  MemberNotFoundError,
  OrganizationNotFoundError,
} from './organizations.errors.js';
import { OrganizationsRepository } from './organizations.repository.js';
import type { Departure, DepartureHandler } from './organizations.types.js';

/** Whom a change concerns: who asks for it, and whom it is done to. */
export interface Errand {
  readonly organizationId: string;
  readonly actorId: string;
  readonly subjectId: string;
}

/** What both of them are while the organization is locked, so what they still are when the change is made. */
export interface LockedStanding {
  readonly actor: OrganizationRole;
  readonly subject: OrganizationRole;
  readonly owners: number;
}

/** What every change of people has in common: one at a time for each organization, and everybody hears of it. */
@Injectable()
export class Roster {
  readonly #departureHandlers: DepartureHandler[] = [];

  constructor(
    private readonly organizations: OrganizationsRepository,
    private readonly memberships: MembershipsRepository,
    private readonly transactions: Transactions,
    private readonly signals: Signals,
  ) {}

  /**
   * Locks the organization until the transaction ends, then looks: what the guard saw may be over by now.
   * @throws OrganizationNotFoundError also when the actor is no member any more; MemberNotFoundError
   */
  async lock({ organizationId, actorId, subjectId }: Errand): Promise<LockedStanding> {
    if (!isUuid(subjectId)) {
      throw new MemberNotFoundError(subjectId);
    }
    const exists = await this.organizations.lock(organizationId);
    const { actor, subject, owners } = await this.memberships.standing(organizationId, actorId, subjectId);
    if (!exists || actor === null) {
      throw new OrganizationNotFoundError(organizationId);
    }
    if (subject === null) {
      throw new MemberNotFoundError(subjectId);
    }
    return { actor, subject, owners };
  }

  /** @throws AlreadyMemberError */
  async add(organizationId: string, userId: string, role: OrganizationRole): Promise<void> {
    if (!(await this.memberships.add(organizationId, userId, role))) {
      throw new AlreadyMemberError();
    }
    this.changed(organizationId);
  }

  /** Managers see who is a member anyway. @throws AlreadyMemberError */
  async refuseMember(organizationId: string, email: string): Promise<void> {
    if (await this.memberships.hasAddress(organizationId, email)) {
      throw new AlreadyMemberError();
    }
  }

  onDeparture(handler: DepartureHandler): void {
    this.#departureHandlers.push(handler);
  }

  /** Takes somebody out, and what goes with them. @throws LastOwnerError */
  async remove({ organizationId, subjectId }: Errand, standing: LockedStanding): Promise<void> {
    refuseLastOwner(standing);
    if (!(await this.memberships.remove(organizationId, subjectId))) {
      throw new MemberNotFoundError(subjectId);
    }
    await this.departed({ organizationId, userId: subjectId });
    this.changed(organizationId);
  }

  /** Takes everybody out. */
  async dissolve(organizationId: string): Promise<void> {
    await this.memberships.removeAll(organizationId);
    await this.departed({ organizationId, userId: null });
    this.changed(organizationId);
  }

  /** After they are out: whoever waited to put something in finds them gone. */
  private async departed(departure: Departure): Promise<void> {
    for (const handler of this.#departureHandlers) {
      await handler(departure);
    }
  }

  /** Whoever remembers who may see what forgets it when this has committed. */
  changed(organizationId: string): void {
    this.transactions.afterCommit(() => {
      this.signals.publish('organization_access_changed', { organizationId });
    });
  }
}

/** An organization without an owner could never get one again. */
export function refuseLastOwner({ subject, owners }: LockedStanding): void {
  if (subject === 'OWNER' && owners === 1) {
    throw new LastOwnerError();
  }
}

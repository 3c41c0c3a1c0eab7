import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import type { OrganizationRole } from '../../contracts/resources.js';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { ForbiddenError } from '../../platform/auth/auth.errors.js';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { IdempotencyService } from '../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../shared/cursor.js';
import { isUuid } from '../../shared/ids.js';
import { type Page, toPage } from '../../shared/paging.js';
import { AccountStandingService } from '../users/account-standing.service.js';
import { InvitationRevocationService } from './invitations/invitation-revocation.service.js';
import { MembershipsRepository } from './memberships.repository.js';
import {
  AlreadyMemberError,
  LastOwnerError,
  MemberNotFoundError,
  OrganizationNotFoundError,
  TooManyOrganizationsError,
  TransferToSelfError,
} from './organizations.errors.js';
import type { Departure, DepartureHandler, Member, MembershipChange, PageRequest } from './organizations.types.js';
import { type LockedRoles, refuseLastOwner, refuseUnfitOwner, requireAssignable } from './role-checks.js';

/** Users per query, queries in parallel, and users that wait: more than connect at once. */
const USERS_AT_ONCE = { maxBatch: 200, maxParallel: 2, maxWaiting: 20_000 };

/**
 * The members of an organization. Each change locks the accounts of those it is about, then the organization, as the end of
 * an owner's account does. So none leaves it without an owner who can act, however many members change it, or are deleted
 * or blocked, at once. Only the block of its last one does: that is never refused, and is recorded.
 */
@Injectable()
export class MembershipsService {
  readonly #departureHandlers: DepartureHandler[] = [];
  readonly #ofUsers = new MicroBatcher<string, string[]>({
    ...USERS_AT_ONCE,
    connectsAs: 'people',
    run: (userIds) => this.memberships.listOrganizationsOf(userIds),
  });

  constructor(
    private readonly memberships: MembershipsRepository,
    private readonly invitations: InvitationRevocationService,
    private readonly standing: AccountStandingService,
    private readonly config: AppConfig,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
    private readonly audit: AuditWriter,
    private readonly once: IdempotencyService,
  ) {}

  /** In the order in which they joined. @throws InvalidCursorError */
  async list(organizationId: string, { limit, cursor }: PageRequest): Promise<Page<Member>> {
    const after = decodeCursor('members', cursor, CREATION_PARTS);
    return toPage(
      await this.memberships.list(organizationId, limit, after),
      limit,
      (member) => member,
      ({ joinedAt, userId }) => encodeCursor('members', [joinedAt.toISOString(), userId]),
    );
  }

  /** The role of a user in an organization; null when the user is not a member, or it does not exist. */
  roleOf(userId: string, organizationId: string): Promise<OrganizationRole | null> {
    return this.memberships.findRole(organizationId, userId);
  }

  /** The organizations of a user who can act. What is asked at one moment shares a statement. */
  organizationsOf(userId: string): Promise<string[]> {
    return this.#ofUsers.submit(userId);
  }

  /** As {@link roleOf}, and the role does not change until the surrounding transaction ends. */
  lockRole(userId: string, organizationId: string): Promise<OrganizationRole | null> {
    return this.memberships.lockRole(organizationId, userId);
  }

  /** The accounts that cannot be deleted, because an organization would be left without an owner. */
  async refusalsOf(userIds: readonly string[]): Promise<ReadonlyMap<string, LastOwnerError>> {
    const owned = await this.memberships.listSolelyOwned(userIds);
    return new Map(owned.map(({ userId }) => [userId, new LastOwnerError()]));
  }

  /**
   * Called when accounts stop being able to act, in that transaction. It waits for a member who is leaving one of their
   * organizations, or comes before; and those that have no owner now who can act are recorded.
   */
  async recordLeftWithoutOwner(userIds: readonly string[]): Promise<void> {
    for (const { userId, organizationId } of await this.memberships.listSolelyOwned(userIds)) {
      await this.audit.record({
        action: 'organization_left_without_owner',
        entity: { type: 'organization', id: organizationId },
        after: { userId },
      });
    }
  }

  /** Registers what happens when members leave, or the organization is deleted. Call it in `onModuleInit`. */
  onDeparture(handler: DepartureHandler): void {
    this.#departureHandlers.push(handler);
  }

  /**
   * Gives a member another role. A manager can assign the roles below their own, an owner any. Invitations that the
   * member sent and could not send now end.
   * @throws MemberNotFoundError, ForbiddenError, LastOwnerError, MemberCannotActError, UnlockRestrictedError
   */
  changeRole(change: MembershipChange, role: OrganizationRole): Promise<Member> {
    return this.transactions.run(async () => {
      const roles = await this.lock(change);
      requireAssignable(roles.actor, roles.member, role);
      refuseUnfitOwner(roles, role);
      await this.standing.requireUnrestricted(change.actorId);
      await this.assign(change, roles.member, role);
      await this.record(change, roles.member, role);
      return this.get(change);
    });
  }

  /** Removes a member, and withdraws their devices. @throws MemberNotFoundError, ForbiddenError, LastOwnerError */
  remove(change: MembershipChange): Promise<void> {
    return this.transactions.run(async () => {
      const roles = await this.lock(change);
      requireAssignable(roles.actor, roles.member);
      await this.end(change, roles);
    });
  }

  /** Removes the user itself, and withdraws their devices. @throws LastOwnerError */
  leave(organizationId: string, userId: string): Promise<void> {
    const change = { organizationId, actorId: userId, memberId: userId };
    return this.once.change(organizationId, async () => this.end(change, await this.lock(change)));
  }

  /**
   * Makes another member an owner and the actor a manager, in one step.
   * @throws MemberNotFoundError, ForbiddenError, TransferToSelfError, MemberCannotActError, UnlockRestrictedError
   */
  transfer(change: MembershipChange): Promise<void> {
    const { organizationId, actorId, memberId } = change;
    return this.once.change(organizationId, async () => {
      const roles = await this.lock(change);
      if (roles.actor !== 'OWNER') {
        throw new ForbiddenError('organization:owner');
      }
      if (actorId === memberId) {
        throw new TransferToSelfError();
      }
      refuseUnfitOwner(roles, 'OWNER');
      await this.standing.requireUnrestricted(actorId);
      await this.assign(change, roles.member, 'OWNER');
      await this.assign({ ...change, memberId: actorId }, 'OWNER', 'MANAGER');
      await this.audit.record({
        entity: { type: 'organization', id: organizationId },
        before: { ownerId: actorId },
        after: { ownerId: memberId },
      });
    });
  }

  /**
   * Locks both accounts and the organization until the surrounding transaction ends, then reads the roles again: they
   * may have changed since the guard read them.
   * @throws OrganizationNotFoundError also when the actor is no member any more, or cannot act; MemberNotFoundError
   */
  async lock({ organizationId, actorId, memberId: anyCase }: MembershipChange): Promise<LockedRoles> {
    if (!isUuid(anyCase)) {
      throw new MemberNotFoundError(anyCase);
    }
    const memberId = anyCase.toLowerCase();
    const acting = await this.standing.lockActing([actorId, memberId]);
    const exists = await this.memberships.lockOrganization(organizationId);
    const { actor, member, otherOwners } = await this.memberships.findRoles(organizationId, actorId, memberId);
    if (!exists || actor === null || !acting.has(actorId)) {
      throw new OrganizationNotFoundError(organizationId);
    }
    if (member === null) {
      throw new MemberNotFoundError(anyCase);
    }
    return { actor, member, memberCanAct: acting.has(memberId), otherOwners };
  }

  /** The role of a member who changes the organization itself. @throws OrganizationNotFoundError */
  async lockOwnRole(organizationId: string, userId: string): Promise<OrganizationRole> {
    return (await this.lock({ organizationId, actorId: userId, memberId: userId })).actor;
  }

  /** Locks accounts and an organization until the surrounding transaction ends. @returns whether all of them can act. */
  async lockWith(organizationId: string, userIds: readonly string[]): Promise<boolean> {
    const acting = await this.standing.lockActing(userIds);
    return (await this.memberships.lockOrganization(organizationId)) && userIds.every((id) => acting.has(id));
  }

  /**
   * Call it before a user becomes a member of one more organization, in the same transaction: it locks the account, so
   * that of two that come at once the second sees the first.
   * @throws TooManyOrganizationsError, AccountCannotActError
   */
  async requireRoom(userId: string): Promise<void> {
    await this.standing.requireActing(userId);
    const { maxPerPerson } = this.config.organizations;
    if ((await this.memberships.count(userId)) >= maxPerPerson) {
      throw new TooManyOrganizationsError(maxPerPerson);
    }
  }

  /** @throws AlreadyMemberError, TooManyOrganizationsError */
  async add(organizationId: string, userId: string, role: OrganizationRole): Promise<void> {
    await this.requireRoom(userId);
    if (!(await this.memberships.add(organizationId, userId, role))) {
      throw new AlreadyMemberError();
    }
    this.publishChange(organizationId);
  }

  /** Managers may learn this: they see the list of members anyway. @throws AlreadyMemberError */
  async refuseMember(organizationId: string, email: string): Promise<void> {
    if (await this.memberships.hasEmail(organizationId, email)) {
      throw new AlreadyMemberError();
    }
  }

  /** Removes all members of an organization that is about to be deleted, and withdraws their devices. */
  async removeAll(organizationId: string): Promise<void> {
    await this.memberships.removeAll(organizationId);
    await this.withdraw({ organizationId, userId: null });
    this.publishChange(organizationId);
  }

  private async end(change: MembershipChange, roles: LockedRoles): Promise<void> {
    const { organizationId, memberId } = change;
    refuseLastOwner(roles);
    if (!(await this.memberships.remove(organizationId, memberId))) {
      throw new MemberNotFoundError(memberId);
    }
    await this.invitations.revokeBeyond(organizationId, memberId, null);
    await this.withdraw({ organizationId, userId: memberId });
    this.publishChange(organizationId);
    await this.record(change, roles.member, null);
  }

  /** Called after the membership is gone: a device that is being added at that moment finds no membership. */
  private async withdraw(departure: Departure): Promise<void> {
    for (const handler of this.#departureHandlers) {
      await handler(departure);
    }
  }

  private async assign(change: MembershipChange, from: OrganizationRole, to: OrganizationRole): Promise<void> {
    if (!(await this.memberships.changeRole(change.organizationId, change.memberId, { from, to }))) {
      throw new MemberNotFoundError(change.memberId);
    }
    await this.invitations.revokeBeyond(change.organizationId, change.memberId, to);
    this.publishChange(change.organizationId);
  }

  private async get({ organizationId, memberId }: MembershipChange): Promise<Member> {
    const member = await this.memberships.find(organizationId, memberId);
    if (!member) {
      throw new MemberNotFoundError(memberId);
    }
    return member;
  }

  private record(change: MembershipChange, from: OrganizationRole, to: OrganizationRole | null): Promise<void> {
    return this.audit.record({
      entity: { type: 'organization', id: change.organizationId },
      before: { userId: change.memberId, role: from },
      ...(to === null ? {} : { after: { userId: change.memberId, role: to } }),
    });
  }

  /** Caches of permissions drop what they hold of this organization once the change has committed. */
  private publishChange(organizationId: string): void {
    this.transactions.afterCommit(() => {
      this.signals.publish('organization_access_changed', { organizationId });
    });
  }
}

import { Injectable } from '@nestjs/common';
import type { Demand } from '../../../contracts/resources.js';
import { ForbiddenError } from '../../../platform/auth/auth.errors.js';
import { randomToken, sha256 } from '../../../platform/crypto/digest.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../../shared/cursor.js';
import { isUuid } from '../../../shared/ids.js';
import { type Page, toPage } from '../../../shared/paging.js';
import { AccountStandingService } from '../../users/account-standing.service.js';
import { UsersService } from '../../users/users.service.js';
import { type DeviceAuthority, DeviceAccessService } from '../access/device-access.service.js';
import type { ShareTerms } from '../domain/device-access.js';
import { changedMembers, changedTerms, faultsOf, widens } from '../domain/share-terms.js';
import {
  InvalidShareTermsError,
  ShareChangedError,
  ShareNotFoundError,
  ShareWithSelfError,
  TooManySharesError,
} from '../sharing.errors.js';
import type { ShareRevokedPayload } from '../sharing.events.js';
import { INVITATION_TTL_MS, MAX_OF_DEVICE, type Share, type ShareChanges } from '../sharing.types.js';
import { ShareEventWriter } from './share-event-writer.js';
import { ShareMailer } from './share-mailer.js';
import { type RightToGive, SharesRepository } from './shares.repository.js';

/** What strangers can fill of the list of one person: all of them, and one giver, so that it takes fifty accounts. */
const MAX_OF_EMAIL = 1_000;
const MAX_OF_GIVER_AND_EMAIL = 20;

/** Gives, changes and ends permissions of people on a device. */
@Injectable()
export class SharesService {
  constructor(
    private readonly repository: SharesRepository,
    private readonly access: DeviceAccessService,
    private readonly users: UsersService,
    private readonly standing: AccountStandingService,
    private readonly transactions: Transactions,
    private readonly idempotency: IdempotencyService,
    private readonly eventWriter: ShareEventWriter,
    private readonly mailer: ShareMailer,
  ) {}

  /** Oldest first. @throws InvalidCursorError */
  async list(deviceId: string, { limit, cursor }: { limit: number; cursor?: string }): Promise<Page<Share>> {
    const after = decodeCursor('shares', cursor, CREATION_PARTS);
    return toPage(
      await this.repository.list(deviceId, limit, after),
      limit,
      (share) => share,
      ({ createdAt, id }) => encodeCursor('shares', [createdAt.toISOString(), id]),
    );
  }

  /** @throws ShareNotFoundError */
  async get(deviceId: string, id: string): Promise<Share> {
    const share = isUuid(id) ? await this.repository.find(deviceId, id) : null;
    if (!share) {
      throw new ShareNotFoundError();
    }
    return share;
  }

  /**
   * Shares a device with the person who has this e-mail address: at once where they have an account, else once they accept
   * the mailed invitation. Nothing that is answered tells which.
   * @throws AlreadySharedError, ShareWithSelfError, TooManySharesError, InvalidShareTermsError
   * @throws ForbiddenError when the actor may not give that; UnlockRestrictedError
   */
  share(deviceId: string, actorId: string, email: string, terms: ShareTerms): Promise<Share> {
    return this.transactions.run(async () => {
      const { id, repeated } = await this.idempotency.once(() => this.create(deviceId, actorId, email, terms));
      if (repeated) {
        await this.access.requireAdmin(actorId, deviceId);
      }
      return this.get(deviceId, id);
    });
  }

  /**
   * A change that changes nothing makes no version.
   * @param versions one of which it must have; any when they are left out
   * @throws ShareNotFoundError, ShareChangedError, InvalidShareTermsError, ForbiddenError, UnlockRestrictedError
   * @throws TooManySharesError when it would be one more of the actor's
   */
  update(
    deviceId: string,
    actorId: string,
    id: string,
    changes: ShareChanges,
    versions?: readonly number[],
  ): Promise<Share> {
    return this.transactions.run(async () => {
      const { authority, share } = await this.lock(deviceId, actorId, id);
      const terms = changedTerms(share, changes, authority.at);
      this.authorize(authority, share, terms);
      const isMore = widens(share, terms);
      if (isMore) {
        refuseHeld(authority, share);
        refuseFaults(terms, authority.at);
        await this.standing.requireUnrestricted(actorId);
        await this.requireRoomToTakeOver(share, actorId);
      }
      const { givenUnder, byRole } = authority;
      const giver = isMore ? { grantedBy: actorId, givenUnder, byRole } : null;
      // Also where what is named does not change: the owner says that it is to be so.
      const held = share.held || (givenUnder === null && Object.keys(changes).length > 0);
      const by = { giver, held: held && !isMore && share.givenUnder !== null };
      return this.store(share, { terms, by, versions }, authority.ownerId);
    });
  }

  /** Ends a share, and those that its holder gave. @throws ShareNotFoundError, ForbiddenError */
  revoke(deviceId: string, actorId: string, id: string): Promise<void> {
    return this.transactions.run(async () => {
      const { authority, share } = await this.lock(deviceId, actorId, id);
      this.authorize(authority, share);
      refuseHeld(authority, share);
      const ended = await this.repository.end(deviceId, [share.id]);
      await this.eventWriter.recordEnds(ended, authority.ownerId, 'revoked');
    });
  }

  /**
   * Mails the recipient once more: the invitation with a new token, or what they have.
   * @throws ShareNotFoundError, ForbiddenError, EmailQuotaExceededError
   */
  inviteAgain(deviceId: string, actorId: string, id: string): Promise<void> {
    return this.idempotency.change(id, async () => {
      const { authority, share } = await this.lock(deviceId, actorId, id);
      this.authorize(authority, share);
      const token = randomToken();
      const waits = await this.repository.renewToken(share.id, sha256(token), INVITATION_TTL_MS);
      const { email, permission } = share;
      const mail = { deviceId, grantorId: actorId, email, permission, token: waits ? token : null };
      await this.mailer.send(mail, { orRefuse: true });
      await this.eventWriter.recordInvitation(share);
    });
  }

  /** Ends all shares of a device whose row is locked, as part of the surrounding transaction. */
  async endAll(deviceId: string, ownerId: string, reason: ShareRevokedPayload['reason']): Promise<void> {
    await this.eventWriter.recordEnds(await this.repository.end(deviceId, null), ownerId, reason);
  }

  private async create(deviceId: string, actorId: string, email: string, terms: ShareTerms): Promise<string> {
    const recipient = await this.users.findUndeletedByIdentifier(email);
    await this.standing.lockActing(recipient ? [actorId, recipient.id] : [actorId]);
    await this.repository.lockDevice(deviceId);
    const authority = await this.access.requireAdmin(actorId, deviceId);
    this.authorize(authority, null, terms);
    refuseFaults(terms, authority.at);
    await this.standing.requireUnrestricted(actorId);
    if (recipient?.id === actorId) {
      throw new ShareWithSelfError();
    }
    await this.requireRoom(deviceId, email, actorId);
    const token = randomToken();
    const { givenUnder, byRole } = authority;
    const userId = recipient?.id ?? null;
    const tokenHash = sha256(token);
    const share = { deviceId, email, userId, terms, grantedBy: actorId, givenUnder, byRole };
    const id = await this.repository.create({ ...share, tokenHash, tokenTtlMs: INVITATION_TTL_MS });
    const { permission } = terms;
    await this.mailer.send({ deviceId, grantorId: actorId, email, permission, token: userId === null ? token : null });
    await this.eventWriter.recordGrant(await this.get(deviceId, id), authority.ownerId);
    return id;
  }

  private async store(
    share: Share,
    { terms, by, versions }: { terms: ShareTerms; by: RightToGive; versions: readonly number[] | undefined },
    ownerId: string,
  ): Promise<Share> {
    const changed = changedMembers(share, terms);
    if (changed.length === 0 && by.held === share.held) {
      if (versions?.includes(share.version) === false) {
        throw new ShareChangedError();
      }
      await this.eventWriter.recordNoChange(share);
      return share;
    }
    if (!(await this.repository.update(share, terms, by, versions))) {
      throw new ShareChangedError();
    }
    const updated = await this.get(share.deviceId, share.id);
    await this.eventWriter.recordChange(share, updated, changed, ownerId);
    return updated;
  }

  /** Locks what a change of a share needs to stand still. */
  private async lock(
    deviceId: string,
    actorId: string,
    id: string,
  ): Promise<{ authority: DeviceAuthority; share: Share }> {
    await this.standing.lockActing([actorId]);
    await this.repository.lockDevice(deviceId);
    const authority = await this.access.requireAdmin(actorId, deviceId);
    return { authority, share: await this.get(deviceId, id) };
  }

  /** A person whose own permission is a share gives less than that, and changes only what they gave by it. */
  private authorize({ givenUnder }: DeviceAuthority, share: Share | null, terms?: ShareTerms): void {
    if (givenUnder !== null && (terms?.permission === 'admin' || (share !== null && share.givenUnder !== givenUnder))) {
      throw new ForbiddenError('device:manager' satisfies Demand);
    }
  }

  private async requireRoom(deviceId: string, email: string, giverId: string): Promise<void> {
    const { ofDevice, ofEmail, ofGiver } = await this.repository.count(deviceId, email, giverId);
    if (ofDevice >= MAX_OF_DEVICE) {
      throw new TooManySharesError(`A device has at most ${String(MAX_OF_DEVICE)} shares.`);
    }
    refuseFull(ofGiver);
    if (ofEmail >= MAX_OF_EMAIL) {
      throw new TooManySharesError(`An address has at most ${String(MAX_OF_EMAIL)} shares.`);
    }
  }

  /** Who lets a share give more is its giver from then on: two people would otherwise fill the list of a third by turns. */
  private async requireRoomToTakeOver({ deviceId, email, grantedBy }: Share, giverId: string): Promise<void> {
    if (grantedBy !== giverId) {
      refuseFull((await this.repository.count(deviceId, email, giverId)).ofGiver);
    }
  }
}

/**
 * Who shares by a share of their own does not undo what the owner or a manager did to it, nor end it to give another. Once it has
 * ended otherwise they can give another, as to any address: only an end of their own right keeps them from that.
 */
function refuseHeld({ givenUnder }: DeviceAuthority, { held }: Share): void {
  if (givenUnder !== null && held) {
    throw new ForbiddenError('device:manager' satisfies Demand);
  }
}

/** Counted by giver, and not by owner: what others share of a device takes nothing from its owner, and tells them nothing. */
function refuseFull(ofGiver: number): void {
  if (ofGiver >= MAX_OF_GIVER_AND_EMAIL) {
    const most = String(MAX_OF_GIVER_AND_EMAIL);
    throw new TooManySharesError(`An address has at most ${most} shares of one person: more are for an organization.`);
  }
}

function refuseFaults(terms: ShareTerms, at: Date): void {
  const [first, ...others] = faultsOf(terms, at);
  if (first) {
    throw new InvalidShareTermsError([first, ...others]);
  }
}

import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../../shared/cursor.js';
import { isUuid } from '../../../shared/ids.js';
import { type Page, toPage } from '../../../shared/paging.js';
import { AccountStandingService } from '../../users/account-standing.service.js';
import { InvalidShareInvitationError, ShareNotFoundError } from '../sharing.errors.js';
import type { HeldShare } from '../sharing.types.js';
import { ShareEventWriter } from './share-event-writer.js';
import { ShareInvitationsRepository } from './share-invitations.repository.js';
import { SharesRepository } from './shares.repository.js';

/** Shares from the side of those who hold them: accepting, listing, leaving. */
@Injectable()
export class HeldSharesService {
  constructor(
    private readonly repository: SharesRepository,
    private readonly invitations: ShareInvitationsRepository,
    private readonly standing: AccountStandingService,
    private readonly transactions: Transactions,
    private readonly idempotency: IdempotencyService,
    private readonly eventWriter: ShareEventWriter,
    private readonly audit: AuditWriter,
  ) {}

  /** What is shared with a user, also while it is closed or suspended; oldest first. @throws InvalidCursorError */
  async list(userId: string, { limit, cursor }: { limit: number; cursor?: string }): Promise<Page<HeldShare>> {
    const after = decodeCursor('held-shares', cursor, CREATION_PARTS);
    return toPage(
      await this.repository.listHeld(userId, limit, after),
      limit,
      (share) => share,
      ({ createdAt, id }) => encodeCursor('held-shares', [createdAt.toISOString(), id]),
    );
  }

  /** Accepts everything that was shared with the address of this account. @throws InvalidShareInvitationError */
  accept(userId: string, token: string): Promise<void> {
    return this.idempotency.change(userId, async () => {
      await this.standing.requireActing(userId);
      const accepted = await this.invitations.accept(userId, sha256(token));
      if (accepted.length === 0) {
        throw new InvalidShareInvitationError();
      }
      for (const { id, deviceId } of accepted) {
        await this.audit.record({ entity: { type: 'share', id }, after: { deviceId, userId } });
        this.eventWriter.publishChange(deviceId);
      }
    });
  }

  /** Gives a share back. Those that were given under it end, too. @throws ShareNotFoundError */
  leave(userId: string, id: string): Promise<void> {
    return this.transactions.run(async () => {
      const deviceId = isUuid(id) ? await this.repository.deviceOfHeld(userId, id) : null;
      const ownerId = deviceId && (await this.repository.lockDevice(deviceId));
      const ended = deviceId && ownerId ? await this.repository.end(deviceId, [id.toLowerCase()]) : [];
      if (!ownerId || ended.length === 0) {
        throw new ShareNotFoundError();
      }
      await this.eventWriter.recordEnds(ended, ownerId, 'left');
    });
  }
}

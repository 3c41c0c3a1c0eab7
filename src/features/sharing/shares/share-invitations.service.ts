import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { randomToken, sha256 } from '../../../platform/crypto/digest.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { AccountStandingService } from '../../users/account-standing.service.js';
import { DeviceAccessService } from '../access/device-access.service.js';
import { INVITATION_TTL_MS } from '../sharing.types.js';
import { ShareInvitationsRepository } from './share-invitations.repository.js';
import { ShareMailer } from './share-mailer.js';
import { SharesRepository } from './shares.repository.js';
import { SharesService } from './shares.service.js';

/** Mails the recipients of shares again. */
@Injectable()
export class ShareInvitationsService {
  constructor(
    private readonly repository: SharesRepository,
    private readonly invitations: ShareInvitationsRepository,
    private readonly shares: SharesService,
    private readonly access: DeviceAccessService,
    private readonly standing: AccountStandingService,
    private readonly transactions: Transactions,
    private readonly mailer: ShareMailer,
    private readonly audit: AuditWriter,
  ) {}

  /**
   * Mails the recipient once more: the invitation with a new token, or what they have.
   * @throws ShareNotFoundError, ResourceNotFoundError, ForbiddenError
   */
  inviteAgain(deviceId: string, actorId: string, shareId: string): Promise<void> {
    return this.transactions.run(async () => {
      await this.standing.lockActing([actorId]);
      await this.repository.lockDevice(deviceId);
      await this.access.requireAdmin(actorId, deviceId);
      const share = await this.shares.get(deviceId, shareId);
      const token = randomToken();
      const waits = await this.invitations.renew(share.id, sha256(token), INVITATION_TTL_MS);
      const { email, permission } = share;
      await this.mailer.send({ deviceId, grantorId: actorId, email, permission, token: waits ? token : null });
      await this.audit.record({ entity: { type: 'share', id: share.id }, after: { email } });
    });
  }
}

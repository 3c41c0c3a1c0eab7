import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import type { BlockedIp } from '../../platform/rate-limit/blocked-ips.repository.js';
import { BlockedIpStore } from '../../platform/rate-limit/blocked-ip-store.js';
import type { Page } from '../../shared/paging.js';
import { IpNotBlockedError } from './blocked-ips.errors.js';

/** Administration of blocked IPs. */
@Injectable()
export class BlockedIpsService {
  constructor(
    private readonly store: BlockedIpStore,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /** The IPs that are blocked now, in their order. @throws InvalidRequestError for a cursor that is not of this list */
  list(page: { limit: number; cursor?: string | undefined }): Promise<Page<BlockedIp>> {
    return this.transactions.run(async () => {
      const blocked = await this.store.list(page);
      await this.audit.record({ entity: { type: 'address', id: null } });
      return blocked;
    });
  }

  /** Unblocks an IP, in whatever spelling, before its time. @throws IpNotBlockedError */
  lift(address: string): Promise<void> {
    return this.transactions.run(async () => {
      const lifted = await this.store.lift(address);
      if (!lifted) {
        throw new IpNotBlockedError();
      }
      const { ip, reason, blockedUntil } = lifted;
      await this.audit.record({
        entity: { type: 'address', id: ip },
        before: { reason, blockedUntil: blockedUntil.toISOString() },
      });
    });
  }
}

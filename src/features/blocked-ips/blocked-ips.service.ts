import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import type { BlockedIp } from '../../platform/rate-limit/blocked-ips.repository.js';
import { BlockedIpStore } from '../../platform/rate-limit/blocked-ip-store.js';
import type { Page } from '../../shared/paging.js';
import { IpNotBlockedError } from './blocked-ips.errors.js';

/** For administrators: which addresses are refused, and letting one in again before its time. */
@Injectable()
export class BlockedIpsService {
  constructor(
    private readonly addresses: BlockedIpStore,
    private readonly transactions: Transactions,
    private readonly auditTrail: AuditWriter,
  ) {}

  /** Those that are blocked now, in the order of addresses. */
  list(page: { limit: number; cursor?: string | undefined }): Promise<Page<BlockedIp>> {
    return this.addresses.list(page);
  }

  /** @throws IpNotBlockedError */
  lift(address: string): Promise<void> {
    return this.transactions.run(async () => {
      const lifted = await this.addresses.lift(address);
      if (!lifted) {
        throw new IpNotBlockedError();
      }
      const { reason, blockedUntil } = lifted;
      await this.auditTrail.record({
        entity: { type: 'address', id: address },
        before: { reason, blockedUntil: blockedUntil.toISOString() },
      });
    });
  }
}

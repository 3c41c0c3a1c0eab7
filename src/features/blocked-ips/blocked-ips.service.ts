import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../platform/audit/audit-writer.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import type { BlockedAddress } from '../../platform/rate-limit/blocked-ips.repository.js';
import { BlockedAddresses } from '../../platform/rate-limit/blocked-ip-store.js';
import type { Page } from '../../shared/paging.js';
import { AddressNotBlockedError } from './blocked-ips.errors.js';

/** For administrators: which addresses are refused, and letting one in again before its time. */
@Injectable()
export class BlockedAddressesService {
  constructor(
    private readonly addresses: BlockedAddresses,
    private readonly transactions: Transactions,
    private readonly auditTrail: AuditTrail,
  ) {}

  /** Those that are blocked now, in the order of addresses. */
  list(page: { limit: number; cursor?: string | undefined }): Promise<Page<BlockedAddress>> {
    return this.addresses.list(page);
  }

  /** @throws AddressNotBlockedError */
  lift(address: string): Promise<void> {
    return this.transactions.run(async () => {
      const lifted = await this.addresses.lift(address);
      if (!lifted) {
        throw new AddressNotBlockedError();
      }
      const { reason, blockedUntil } = lifted;
      await this.auditTrail.record({
        entity: { type: 'address', id: address },
        before: { reason, blockedUntil: blockedUntil.toISOString() },
      });
    });
  }
}

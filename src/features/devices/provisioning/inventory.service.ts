import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../../shared/cursor.js';
import { isUuid } from '../../../shared/ids.js';
import { type Page, toPage } from '../../../shared/paging.js';
import { hashSecretCode, newSecretCode } from '../credentials/secret-codes.js';
import { AlreadyClaimedError, ProvisionedDeviceNotFoundError } from './provisioning.errors.js';
import { ProvisioningRepository } from './provisioning.repository.js';
import type { InventoryFilter, InventoryScope, ProvisionedDevice } from './provisioning.types.js';

/** What makers do with what they have loaded. An administrator does it with all. */
@Injectable()
export class InventoryService {
  constructor(
    private readonly repository: ProvisioningRepository,
    private readonly idempotency: IdempotencyService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /** Newest first. @throws InvalidCursorError */
  async list(
    principal: Principal,
    { cursor, limit, ...filter }: InventoryFilter & { readonly cursor?: string; readonly limit: number },
  ): Promise<Page<ProvisionedDevice>> {
    const after = decodeCursor('provisioned', cursor, CREATION_PARTS);
    return toPage(
      await this.repository.list(scopeOf(principal), filter, limit, after),
      limit,
      (thing) => thing,
      ({ createdAt, id }) => encodeCursor('provisioned', [createdAt.toISOString(), id]),
    );
  }

  /**
   * Replaces the code of a thing; the old one is not valid any more.
   * @returns null for a repeat: a code is shown once.
   * @throws ProvisionedDeviceNotFoundError, AlreadyClaimedError
   */
  renewCode(id: string, principal: Principal): Promise<string | null> {
    const code = newSecretCode();
    return this.transactions.run(async () => {
      const { repeated } = await this.idempotency.once(async () => {
        const scope = scopeOf(principal);
        if (!isUuid(id) || !(await this.repository.renewCode(id, scope, hashSecretCode(code)))) {
          throw await this.refusal(id, scope);
        }
        await this.audit.record({ entity: { type: 'provisioned_device', id } });
        return id;
      });
      return repeated ? null : code;
    });
  }

  /** @throws ProvisionedDeviceNotFoundError, AlreadyClaimedError */
  delete(id: string, principal: Principal): Promise<void> {
    return this.transactions.run(async () => {
      const scope = scopeOf(principal);
      const hardwareId = isUuid(id) ? await this.repository.delete(id, scope) : null;
      if (hardwareId === null) {
        throw await this.refusal(id, scope);
      }
      await this.audit.record({ entity: { type: 'provisioned_device', id }, before: { hardwareId } });
    });
  }

  private async refusal(id: string, scope: InventoryScope): Promise<Error> {
    const isThere = isUuid(id) && (await this.repository.has(id, scope));
    return isThere ? new AlreadyClaimedError() : new ProvisionedDeviceNotFoundError();
  }
}

function scopeOf({ role, userId }: Principal): InventoryScope {
  return role === 'ADMIN' ? null : userId;
}

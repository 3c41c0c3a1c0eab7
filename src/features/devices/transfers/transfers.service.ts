import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { randomToken, sha256 } from '../../../platform/crypto/digest.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { AccountStandingService } from '../../users/account-standing.service.js';
import type { ActivationCode } from '../credentials/credentials.types.js';
import { DeviceChangeService } from '../device-change.service.js';
import { OwnershipService } from './ownership.service.js';
import { TransferMailer } from './transfer-mailer.js';
import { TransferNotFoundError, TransferPendingError, DeviceAlreadyYoursError } from './transfers.errors.js';
import { TransfersRepository } from './transfers.repository.js';
import type { Transfer } from './transfers.types.js';

const TTL_MS = 7 * 24 * 60 * 60 * 1_000;

/** Offers of devices to other people, as their owners see them, whose tokens exist only in the mail; and factory resets. */
@Injectable()
export class TransfersService {
  constructor(
    private readonly repository: TransfersRepository,
    private readonly changes: DeviceChangeService,
    private readonly ownership: OwnershipService,
    private readonly mailer: TransferMailer,
    private readonly standing: AccountStandingService,
    private readonly idempotency: IdempotencyService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /**
   * Mails an offer that is valid for 7 days. The same happens whether the address has an account or not.
   * @throws ForbiddenError when the device is another person's meanwhile
   * @throws TransferPendingError, DeviceAlreadyYoursError, AccountCannotActError, UnlockRestrictedError, EmailQuotaExceededError
   */
  offer(deviceId: string, ownerId: string, email: string): Promise<Transfer> {
    return this.transactions.run(async () => {
      const { repeated } = await this.idempotency.once(async () => {
        await this.create(deviceId, ownerId, email);
        return deviceId;
      });
      if (repeated) {
        await this.changes.require(ownerId, deviceId, 'owner');
      }
      return this.get(deviceId);
    });
  }

  /** The open offer of a device. @throws TransferNotFoundError */
  async get(deviceId: string): Promise<Transfer> {
    const transfer = await this.repository.findOfDevice(deviceId);
    if (!transfer) {
      throw new TransferNotFoundError();
    }
    return transfer;
  }

  /** Of a cancellation and an acceptance that race, exactly one wins. @throws TransferNotFoundError */
  cancel(deviceId: string, ownerId: string): Promise<void> {
    return this.transactions.run(async () => {
      await this.changes.begin(ownerId, deviceId, 'owner');
      const cancelled = await this.repository.cancel(deviceId);
      if (!cancelled) {
        throw new TransferNotFoundError();
      }
      const { id: transferId, email } = cancelled;
      await this.audit.record({ entity: { type: 'device', id: deviceId }, before: { transferId, email } });
    });
  }

  /**
   * Makes a device as it was when it was new. @returns null for a repeat
   * @throws DeviceNotFoundError, ForbiddenError when the device is another person's meanwhile, UnlockRestrictedError
   */
  factoryReset(deviceId: string, ownerId: string): Promise<ActivationCode | null> {
    return this.transactions.run(async () => {
      let activation: ActivationCode | null = null;
      await this.idempotency.once(async () => {
        const { device } = await this.changes.begin(ownerId, deviceId, 'owner');
        await this.standing.requireUnrestricted(ownerId);
        activation = await this.ownership.reset(device);
        return deviceId;
      });
      return activation;
    });
  }

  private async create(deviceId: string, ownerId: string, email: string): Promise<void> {
    await this.standing.requireActing(ownerId);
    // The new owner opens the door at once.
    await this.standing.requireUnrestricted(ownerId);
    if (await this.mailer.isOwn(ownerId, email)) {
      throw new DeviceAlreadyYoursError();
    }
    const { device } = await this.changes.begin(ownerId, deviceId, 'owner');
    const token = randomToken();
    const offer = { deviceId, fromId: ownerId, email, tokenHash: sha256(token), ttlMs: TTL_MS };
    const transferId = await this.repository.offer(offer);
    if (transferId === null) {
      throw new TransferPendingError();
    }
    await this.mailer.send(ownerId, email, { deviceName: device.name, token });
    await this.audit.record({ entity: { type: 'device', id: deviceId }, after: { transferId, email } });
  }
}

import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../../shared/cursor.js';
import { isUuid } from '../../../shared/ids.js';
import { type Page, toPage } from '../../../shared/paging.js';
import { AccountStandingService } from '../../users/account-standing.service.js';
import { UnlockRestrictedError } from '../../users/users.errors.js';
import type { ActivationCode } from '../credentials/credentials.types.js';
import { DeviceNotFoundError, TooManyDevicesError } from '../devices.errors.js';
import { DevicesRepository } from '../devices.repository.js';
import type { Device } from '../devices.types.js';
import { OwnershipService } from './ownership.service.js';
import { InvalidTransferError, TransferNotFoundError } from './transfers.errors.js';
import { TransfersRepository } from './transfers.repository.js';
import type { AcceptedTransfer, Transfer, TransferKey } from './transfers.types.js';

/** Offers of devices, as those see them to whom they are made. */
@Injectable()
export class TransferAnswersService {
  constructor(
    private readonly repository: TransfersRepository,
    private readonly devices: DevicesRepository,
    private readonly ownership: OwnershipService,
    private readonly standing: AccountStandingService,
    private readonly idempotency: IdempotencyService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly config: AppConfig,
  ) {}

  /** What is offered to the account, oldest first. @throws InvalidCursorError */
  async list(userId: string, { limit, cursor }: { limit: number; cursor?: string }): Promise<Page<Transfer>> {
    const after = decodeCursor('transfers', cursor, CREATION_PARTS);
    return toPage(
      this.config.provesAddresses ? await this.repository.listOffered(userId, limit, after) : [],
      limit,
      (transfer) => transfer,
      ({ createdAt, id }) => encodeCursor('transfers', [createdAt.toISOString(), id]),
    );
  }

  /**
   * Makes the account the owner. The offer must be for its e-mail address.
   * @throws InvalidTransferError, TransferNotFoundError, UnlockRestrictedError, TooManyDevicesError, HardwareIdTakenError
   */
  accept(userId: string, key: TransferKey): Promise<AcceptedTransfer> {
    return this.transactions.run(async () => {
      let activation: ActivationCode | null = null;
      const { id } = await this.idempotency.once(async () => {
        const { transfer, device } = await this.take(userId, key);
        // The code of the answer would activate nothing, and every token has ended: the door would be dead.
        await this.standing.requireUnrestricted(userId);
        const { maxPerUser } = this.config.devices;
        if ((await this.devices.countOwned(userId, maxPerUser)) >= maxPerUser) {
          throw new TooManyDevicesError(maxPerUser);
        }
        activation = await this.ownership.transfer(device, userId);
        return transfer.deviceId;
      });
      const device = await this.devices.get(id);
      if (device.ownerId !== userId) {
        throw new InvalidTransferError();
      }
      return { device, activation };
    });
  }

  /** @throws InvalidTransferError, TransferNotFoundError */
  decline(userId: string, key: TransferKey): Promise<void> {
    return this.transactions.run(async () => {
      await this.idempotency.once(async () => {
        const { transfer } = await this.take(userId, key);
        await this.audit.record({
          entity: { type: 'device', id: transfer.deviceId },
          before: { transferId: transfer.id, email: transfer.email },
        });
        return transfer.deviceId;
      });
    });
  }

  /** Consumes an offer, with both accounts and the device locked in this order. */
  private async take(userId: string, key: TransferKey): Promise<{ transfer: Transfer; device: Device }> {
    const transfer = await this.find(key);
    const refusal = key.id === undefined ? new InvalidTransferError() : new TransferNotFoundError();
    if (!transfer || transfer.fromId === userId) {
      throw refusal;
    }
    const acting = await this.standing.lockActing([userId, transfer.fromId]);
    const device = await this.devices.getLocked(transfer.deviceId).catch((error: unknown) => {
      throw error instanceof DeviceNotFoundError ? refusal : error;
    });
    // It may have been offered by an administrator who knew the password.
    await this.standing.requireUnrestricted(transfer.fromId).catch((error: unknown) => {
      throw error instanceof UnlockRestrictedError ? refusal : error;
    });
    const stands = acting.size === 2 && device.ownerId === transfer.fromId;
    if (!stands || !(await this.repository.take(transfer.id, userId))) {
      throw refusal;
    }
    return { transfer, device };
  }

  /** Without the mailed token, only an account that is known to have the address is asked. */
  private async find({ id, token }: TransferKey): Promise<Transfer | null> {
    if (token !== undefined) {
      const transfer = await this.repository.findByToken(sha256(token));
      return id === undefined || transfer?.id === id ? transfer : null;
    }
    return this.config.provesAddresses && isUuid(id) ? this.repository.findById(id) : null;
  }
}

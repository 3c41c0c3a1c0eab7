import { Injectable } from '@nestjs/common';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { ActivationCodesService } from '../credentials/activation-codes.service.js';
import type { ActivationCode } from '../credentials/credentials.types.js';
import { DeviceTokensRepository } from '../credentials/device-tokens.repository.js';
import { DeviceEventWriter } from '../device-event-writer.js';
import { DevicesRepository } from '../devices.repository.js';
import type { Device } from '../devices.types.js';
import { HandoverService } from './handover.service.js';
import { TransfersRepository } from './transfers.repository.js';

/** What a factory reset changes of what people have set. */
const RESET_MEMBERS = ['name', 'room', 'location', 'position', 'metadata', 'organizationId', 'token'] as const;

/** Changes the owner of a device, and makes it as it was when it was new. Both in the surrounding transaction, which holds it. */
@Injectable()
export class OwnershipService {
  constructor(
    private readonly repository: TransfersRepository,
    private readonly devices: DevicesRepository,
    private readonly tokens: DeviceTokensRepository,
    private readonly codes: ActivationCodesService,
    private readonly handover: HandoverService,
    private readonly eventWriter: DeviceEventWriter,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {}

  /**
   * Ends what belongs to the earlier owner, and every token: who had the code of a device may have activated it by hand.
   * @returns the code that activates it
   * @throws HardwareIdTakenError
   */
  async transfer({ id, ownerId }: Device, newOwnerId: string): Promise<ActivationCode> {
    await this.handover.end({ deviceId: id, ownerId, reason: 'transfer' });
    await this.tokens.revoke(id);
    const activation = await this.codes.issue(id, newOwnerId);
    await this.repository.changeOwner(id, newOwnerId);
    await this.eventWriter.recordTransfer(await this.devices.get(id), ownerId);
    this.tell(id);
    return activation;
  }

  /** Ends what hangs on the device, and every token. @returns the code that activates it */
  async reset({ id, ownerId }: Device): Promise<ActivationCode> {
    await this.handover.end({ deviceId: id, ownerId, reason: 'factory_reset' });
    await this.tokens.revoke(id);
    const activation = await this.codes.issue(id, ownerId);
    await this.repository.reset(id);
    await this.eventWriter.recordChange(await this.devices.get(id), RESET_MEMBERS, { reset: true });
    this.tell(id);
    return activation;
  }

  private tell(deviceId: string): void {
    this.transactions.afterCommit(() => {
      this.signals.publish('device_revoked', { deviceId });
      this.signals.publish('device_access_changed', { deviceId });
    });
  }
}

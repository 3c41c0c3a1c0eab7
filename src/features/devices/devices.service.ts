import { Injectable } from '@nestjs/common';
import { Transactions } from '../../platform/prisma/transactions.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { SharesService } from '../sharing/shares/shares.service.js';
import { DeviceChangeService } from './device-change.service.js';
import { DeviceEventWriter } from './device-event-writer.js';
import { DeviceChangedError } from './devices.errors.js';
import { DevicesRepository } from './devices.repository.js';
import type { Device } from './devices.types.js';

/** Reads and deletes devices. */
@Injectable()
export class DevicesService {
  constructor(
    private readonly repository: DevicesRepository,
    private readonly changes: DeviceChangeService,
    private readonly transactions: Transactions,
    private readonly eventWriter: DeviceEventWriter,
    private readonly shares: SharesService,
    private readonly signals: SignalBus,
  ) {}

  /** @throws DeviceNotFoundError */
  get(deviceId: string): Promise<Device> {
    return this.repository.get(deviceId);
  }

  /**
   * Deletes a device for its owner. Its token is revoked with the commit, and its connections are closed after it. Its shares end
   * before it, so that their recipients are told.
   * @throws DeviceNotFoundError, DeviceChangedError, ForbiddenError
   */
  delete(ownerId: string, deviceId: string, versions?: readonly number[]): Promise<void> {
    return this.transactions.run(async () => {
      const { device } = await this.changes.begin(ownerId, deviceId, 'owner');
      if (versions?.includes(device.version) === false) {
        throw new DeviceChangedError();
      }
      await this.shares.endAll(deviceId, device.ownerId, 'deleted');
      await this.repository.delete(deviceId);
      await this.eventWriter.recordDeletions([device]);
      this.transactions.afterCommit(() => {
        this.publishDeletion(deviceId);
      });
    });
  }

  /** Whether a device of this owner is in an organization that has another member: they would stand before a closed door. */
  hasShared(ownerId: string): Promise<boolean> {
    return this.repository.hasShared(ownerId);
  }

  /**
   * Deletes every device of an owner, in the surrounding transaction: see {@link delete}. It is for owners who share none with
   * an account, so there is no recipient to tell.
   */
  async deleteAllOf(ownerId: string): Promise<void> {
    const devices = await this.repository.deleteAllOf(ownerId);
    await this.eventWriter.recordDeletions(devices);
    this.transactions.afterCommit(() => {
      devices.forEach(({ id }) => {
        this.publishDeletion(id);
      });
    });
  }

  private publishDeletion(deviceId: string): void {
    this.signals.publish('device_revoked', { deviceId });
    this.signals.publish('device_access_changed', { deviceId });
  }
}

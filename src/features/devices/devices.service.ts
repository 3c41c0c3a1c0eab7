import { Injectable } from '@nestjs/common';
import type { DevicePermission } from '../../contracts/devices.js';
import type { DeviceRef } from '../../contracts/resources.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { Signals } from '../../platform/redis/signals.js';
import { toPage } from '../../shared/paging.js';
import { DeviceHooks } from './device-hooks.js';
import { decodeDeviceCursor, encodeDeviceCursor } from './device-list-cursor.js';
import { DeviceRecorder } from './device-recorder.js';
import { DeviceStates } from './device-states.js';
import { DeviceChangedError } from './devices.errors.js';
import { DevicesRepository } from './devices.repository.js';
import type {
  Device,
  DeviceConnectedHandler,
  DeviceListPage,
  DeviceQuery,
  LockStateHandler,
  StateReport,
} from './devices.types.js';
import { decidePermission } from './domain/device-access.js';

/** The registry of devices: what there is, whose it is, and who may do what with it. */
@Injectable()
export class DevicesService {
  constructor(
    private readonly repository: DevicesRepository,
    private readonly transactions: Transactions,
    private readonly recorder: DeviceRecorder,
    private readonly signals: Signals,
    private readonly hooks: DeviceHooks,
    private readonly states: DeviceStates,
  ) {}

  /** A person's devices and those of their organizations, one page at a time. @throws InvalidDeviceCursorError */
  async list(userId: string, query: DeviceQuery): Promise<DeviceListPage> {
    const { sort, cursor, limit } = query;
    const after = cursor === undefined ? null : decodeDeviceCursor(sort, cursor);
    return toPage(
      await this.repository.list(userId, query, after),
      limit,
      (row) => row.item,
      (row) => encodeDeviceCursor(sort, row),
    );
  }

  /** @throws DeviceNotFoundError */
  get(deviceId: string): Promise<Device> {
    return this.repository.get(deviceId);
  }

  /**
   * Ends a device: its token is void with the commit, and its connections are cut.
   * @throws DeviceNotFoundError, DeviceChangedError
   */
  delete(deviceId: string, version?: number): Promise<void> {
    return this.transactions.run(async () => {
      const device = await this.repository.delete(deviceId, version);
      if (!device) {
        return this.refuseChange(deviceId);
      }
      await this.recorder.deleted(device);
      this.transactions.afterCommit(() => {
        this.signals.publish('device_revoked', { deviceId });
        this.signals.publish('device_access_changed', { deviceId });
      });
    });
  }

  /** What a person may do with a device now; null when it is none of theirs, or does not exist. */
  async permissionOf(userId: string, deviceId: string): Promise<DevicePermission | null> {
    return (await this.resolve(userId, deviceId))?.permission ?? null;
  }

  /** A device as seen by a person; null when it is none of theirs, or does not exist. */
  async resolve(userId: string, deviceId: string): Promise<DeviceRef | null> {
    const found = await this.repository.findTies(deviceId, userId);
    const permission = found && decidePermission(found.ties);
    return permission && { id: deviceId, ownerId: found.ownerId, permission, owned: found.ties.owner };
  }

  /** Records what devices reported of themselves, as part of the surrounding transaction. */
  reportStates(reports: readonly StateReport[]): Promise<void> {
    return this.states.record(reports);
  }

  /** Registers what happens when a device says where its bolt is. Call it in `onModuleInit`. */
  onLockStateReported(handler: LockStateHandler): void {
    this.hooks.onLockStateReported(handler);
  }

  /** Registers what happens when a device has come online. Call it in `onModuleInit`. */
  onConnected(handler: DeviceConnectedHandler): void {
    this.hooks.onConnected(handler);
  }

  /** It was not there in the wanted version: which of the two is it? */
  private async refuseChange(deviceId: string): Promise<never> {
    await this.repository.get(deviceId);
    throw new DeviceChangedError();
  }
}

import { Injectable } from '@nestjs/common';
import type { DevicePermission } from '../../contracts/devices.js';
import type { DeviceRef } from '../../contracts/resources.js';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { DeviceEventWriter } from './device-event-writer.js';
import { DeviceChangedError } from './devices.errors.js';
import { DevicesRepository, type OwnedTies } from './devices.repository.js';
import type { Device } from './devices.types.js';
import { decidePermission, type DeviceTies } from './domain/device-access.js';

const BY_OWNERSHIP: DeviceTies = { owner: true, organizationRole: null };
/** Pairs per query, queries in parallel, and pairs that wait: more than there are ever requests. */
const TIES_AT_ONCE = { maxBatch: 200, maxParallel: 4, maxWaiting: 20_000 };

/** Reads and deletes devices, and answers what users may do with them. */
@Injectable()
export class DevicesService {
  /** Every request about a device needs its ties: those of one moment share a query. */
  readonly #ties = new MicroBatcher<{ deviceId: string; userId: string }, OwnedTies | null>({
    ...TIES_AT_ONCE,
    connectsAs: 'people',
    run: (pairs) => this.repository.listTies(pairs),
  });

  constructor(
    private readonly repository: DevicesRepository,
    private readonly transactions: Transactions,
    private readonly eventWriter: DeviceEventWriter,
    private readonly signals: SignalBus,
  ) {}

  /** @throws DeviceNotFoundError */
  get(deviceId: string): Promise<Device> {
    return this.repository.get(deviceId);
  }

  /**
   * Deletes a device. Its token is revoked with the commit, and its connections are closed after it.
   * @throws DeviceNotFoundError, DeviceChangedError
   */
  delete(deviceId: string, versions?: readonly number[]): Promise<void> {
    return this.transactions.run(async () => {
      const device = await this.repository.getLocked(deviceId);
      if (versions?.includes(device.version) === false) {
        throw new DeviceChangedError();
      }
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

  /** Deletes every device of an owner, in the surrounding transaction: see {@link delete}. */
  async deleteAllOf(ownerId: string): Promise<void> {
    const devices = await this.repository.deleteAllOf(ownerId);
    await this.eventWriter.recordDeletions(devices);
    this.transactions.afterCommit(() => {
      devices.forEach(({ id }) => {
        this.publishDeletion(id);
      });
    });
  }

  /** What a user may do with a device; null without any permission, or when it does not exist. */
  async permissionOf(userId: string, deviceId: string): Promise<DevicePermission | null> {
    return (await this.resolve(userId, deviceId))?.permission ?? null;
  }

  /**
   * What users may do with devices whose owner is known. It is part of the surrounding transaction, and queries only for
   * users who are not the owner. Null for a user id of null, and without any permission.
   */
  async permissionsOf(
    requests: readonly { userId: string | null; deviceId: string; ownerId: string }[],
  ): Promise<(DevicePermission | null)[]> {
    const others = requests.flatMap(({ userId, deviceId, ownerId }) =>
      userId === null || userId === ownerId ? [] : [{ userId, deviceId }],
    );
    const found = others.length > 0 ? await this.repository.listTies(others) : [];
    return requests.map(({ userId, ownerId }) => {
      if (userId === null) {
        return null;
      }
      const ties = userId === ownerId ? BY_OWNERSHIP : found.shift()?.ties;
      return ties ? decidePermission(ties) : null;
    });
  }

  /** A device with the permission of a user; null without any permission, or when it does not exist. */
  async resolve(userId: string, deviceId: string): Promise<DeviceRef | null> {
    const found = await this.#ties.submit({ deviceId, userId });
    const permission = found && decidePermission(found.ties);
    return permission && { id: deviceId, ownerId: found.ownerId, permission, owned: found.ties.owner };
  }

  private publishDeletion(deviceId: string): void {
    this.signals.publish('device_revoked', { deviceId });
    this.signals.publish('device_access_changed', { deviceId });
  }
}

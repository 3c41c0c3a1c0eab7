import { Injectable } from '@nestjs/common';
import type { DevicePermission } from '../../contracts/devices.js';
import type { DeviceRef } from '../../contracts/resources.js';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { Signals } from '../../platform/redis/signals.js';
import { decodeCursor, encodeCursor, isStorableText } from '../../shared/cursor.js';
import { isUuid } from '../../shared/ids.js';
import { isInstant } from '../../shared/instant.js';
import { toPage } from '../../shared/paging.js';
import { DeviceEventWriter } from './device-event-writer.js';
import { DeviceChangedError } from './devices.errors.js';
import { DevicesRepository, type OwnedTies } from './devices.repository.js';
import type { Device, DeviceListPage, DeviceQuery } from './devices.types.js';
import { decidePermission, type DeviceTies } from './domain/device-access.js';

const BY_OWNERSHIP: DeviceTies = { owner: true, organizationRole: null };
/** Questions answered by one query, queries under way, and questions that wait: as many as requests can be. */
const TIES_AT_ONCE = { maxBatch: 200, maxParallel: 4, maxWaiting: 20_000 };

/** The registry of devices: what there is, whose it is, and who may do what with it. */
@Injectable()
export class DevicesService {
  /** Every request about a device asks this: those of one moment ask together. */
  readonly #ties = new MicroBatcher<{ deviceId: string; userId: string }, OwnedTies | null>({
    ...TIES_AT_ONCE,
    run: (asked) => this.repository.listTies(asked),
  });

  constructor(
    private readonly repository: DevicesRepository,
    private readonly transactions: Transactions,
    private readonly recorder: DeviceEventWriter,
    private readonly signals: Signals,
  ) {}

  /** A person's devices and those of their organizations, one page at a time. @throws InvalidCursorError */
  async list(userId: string, query: DeviceQuery): Promise<DeviceListPage> {
    const { sort, cursor, limit } = query;
    const list = `devices:${sort}`;
    const after = decodeCursor(list, cursor, [sort.endsWith('createdAt') ? isInstant : isStorableText, isUuid]);
    return toPage(
      await this.repository.list(userId, query, after),
      limit,
      (row) => row.item,
      ({ key, id }) => encodeCursor(list, [key, id]),
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

  /**
   * What people may do with devices whose owner is known: as part of the surrounding transaction, and the database is
   * asked only about others. Nobody may do nothing.
   */
  async permissionsOf(
    asked: readonly { userId: string | null; deviceId: string; ownerId: string }[],
  ): Promise<(DevicePermission | null)[]> {
    const strangers = asked.flatMap(({ userId, deviceId, ownerId }) =>
      userId === null || userId === ownerId ? [] : [{ userId, deviceId }],
    );
    const found = strangers.length > 0 ? await this.repository.listTies(strangers) : [];
    return asked.map(({ userId, ownerId }) => {
      if (userId === null) {
        return null;
      }
      const ties = userId === ownerId ? BY_OWNERSHIP : found.shift()?.ties;
      return ties ? decidePermission(ties) : null;
    });
  }

  /** A device as seen by a person; null when it is none of theirs, or does not exist. */
  async resolve(userId: string, deviceId: string): Promise<DeviceRef | null> {
    const found = await this.#ties.submit({ deviceId, userId });
    const permission = found && decidePermission(found.ties);
    return permission && { id: deviceId, ownerId: found.ownerId, permission, owned: found.ties.owner };
  }

  /** It was not there in the wanted version: which of the two is it? */
  private async refuseChange(deviceId: string): Promise<never> {
    await this.repository.get(deviceId);
    throw new DeviceChangedError();
  }
}

import { Injectable } from '@nestjs/common';
import { ForbiddenError, ResourceNotFoundError } from '../../platform/auth/auth.errors.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { MembershipsService } from '../organizations/memberships.service.js';
import { AccountStandingService } from '../users/account-standing.service.js';
import { DeviceChangeService } from './device-change.service.js';
import { DeviceEventWriter } from './device-event-writer.js';
import { DeviceChangedError } from './devices.errors.js';
import { DevicesRepository } from './devices.repository.js';
import type { Device, DeviceChanges } from './devices.types.js';

type MaintenanceHandler = (deviceId: string, isOn: boolean) => Promise<void>;

/** Changes a device: its name, its place, the organization whose members may use it, and whether a person works on it. */
@Injectable()
export class DeviceEditorService {
  #setMaintenance: MaintenanceHandler = () => Promise.resolve();

  constructor(
    private readonly repository: DevicesRepository,
    private readonly changes: DeviceChangeService,
    private readonly memberships: MembershipsService,
    private readonly standing: AccountStandingService,
    private readonly transactions: Transactions,
    private readonly eventWriter: DeviceEventWriter,
    private readonly signals: SignalBus,
  ) {}

  /**
   * Sets how maintenance begins and ends, in the transaction of the change, which holds the device: a status follows from links,
   * which belong to a feature above. Call it in `onModuleInit`.
   */
  onMaintenance(set: MaintenanceHandler): void {
    this.#setMaintenance = set;
  }

  /**
   * @param versions one of which it must have; any when they are left out
   * @throws DeviceNotFoundError, DeviceChangedError, ForbiddenError when `userId` may not change it any more
   * @throws ForbiddenError, ResourceNotFoundError, UnlockRestrictedError when `userId` may not put it into that organization
   */
  update(userId: string, deviceId: string, changes: DeviceChanges, versions?: readonly number[]): Promise<Device> {
    // A DTO has all of its members; those that the request left out are undefined.
    const given = Object.fromEntries(
      Object.entries(changes).filter(([, value]) => value !== undefined),
    ) as DeviceChanges;
    return this.transactions.run(async () => {
      const { organizationId } = given;
      if (typeof organizationId === 'string') {
        await this.changes.require(userId, deviceId, 'owner');
        await this.authorizePlacement(userId, organizationId);
      }
      const need = organizationId === undefined ? 'admin' : 'owner';
      const { device: before } = await this.changes.begin(userId, deviceId, need);
      const updated = await this.apply(deviceId, given, versions);
      await this.eventWriter.recordUpdate(before, updated, given);
      if (before.organizationId !== updated.organizationId) {
        this.accessChanged(deviceId);
      }
      return updated;
    });
  }

  /**
   * Takes devices out of an organization, as part of the surrounding transaction.
   * @param ownerId the member who leaves; null when the organization ends
   */
  async withdraw(organizationId: string, ownerId: string | null): Promise<void> {
    await this.eventWriter.recordWithdrawals(await this.repository.withdraw(organizationId, ownerId));
  }

  private async apply(
    deviceId: string,
    { maintenance, ...columns }: DeviceChanges,
    versions: readonly number[] | undefined,
  ): Promise<Device> {
    const updated = await this.repository.update(deviceId, columns, versions);
    if (!updated) {
      throw new DeviceChangedError();
    }
    if (maintenance === undefined) {
      return updated;
    }
    await this.#setMaintenance(deviceId, maintenance);
    return this.repository.get(deviceId);
  }

  /** The owner puts a device only into an organization that they manage. The role is locked until the commit. */
  private async authorizePlacement(userId: string, organizationId: string): Promise<void> {
    await this.standing.lockActing([userId]);
    const role = await this.memberships.lockRole(userId, organizationId);
    if (role === null) {
      throw new ResourceNotFoundError('organization');
    }
    if (role !== 'OWNER' && role !== 'MANAGER') {
      throw new ForbiddenError('organization:manager');
    }
    await this.standing.requireUnrestricted(userId);
  }

  private accessChanged(deviceId: string): void {
    this.transactions.afterCommit(() => {
      this.signals.publish('device_access_changed', { deviceId });
    });
  }
}

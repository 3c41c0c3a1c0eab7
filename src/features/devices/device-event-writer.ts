import { Injectable } from '@nestjs/common';
import type { AuditAction } from '../../contracts/audit.js';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { requestContext } from '../../platform/context/request-context.js';
import { EventLog } from '../../platform/events/event-log.js';
import type { Device, DeviceChanges } from './devices.types.js';

/** Writes changes of devices to the event log and the audit trail, inside the transaction of the change. */
@Injectable()
export class DeviceEventWriter {
  constructor(
    private readonly events: EventLog,
    private readonly audit: AuditWriter,
  ) {}

  /** @param action where it is not the one of the route */
  async recordRegistration(
    device: Pick<Device, 'id' | 'ownerId' | 'name' | 'type' | 'hardwareId'>,
    action?: AuditAction,
  ): Promise<void> {
    const { id, ownerId, name, type, hardwareId } = device;
    const facts = { entity: { type: 'device', id }, after: { name, type, hardwareId, ownerId } } as const;
    await this.audit.record({ ...facts, ...(action === undefined ? {} : { action }) });
    await this.events.append({
      type: 'device_registered',
      payload: { name, type, hardwareId },
      source: 'http',
      actor: requestContext()?.actor ?? `user:${ownerId}`,
      deviceId: id,
      userId: ownerId,
    });
  }

  /** @param changes the members that the request gave; the audit entry holds only their values before and after */
  async recordUpdate(before: Device, device: Device, changes: DeviceChanges): Promise<void> {
    const changed = Object.keys(changes) as (keyof DeviceChanges)[];
    const values = (of: Device): Record<string, unknown> =>
      Object.fromEntries(changed.map((key) => [key, key === 'maintenance' ? of.status === 'maintenance' : of[key]]));
    await this.audit.record({
      entity: { type: 'device', id: device.id },
      before: values(before),
      after: values(device),
    });
    await this.events.append({ type: 'device_updated', payload: { changed }, ...this.baseOf(device) });
  }

  /** Something that the owner does not see in the device itself. @param facts for the audit trail */
  async recordChange(
    device: Device,
    changed: readonly string[],
    facts: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.audit.record({ entity: { type: 'device', id: device.id }, after: facts });
    await this.events.append({ type: 'device_updated', payload: { changed: [...changed] }, ...this.baseOf(device) });
  }

  /** The device did it itself, without a session. */
  async recordActivation(device: Device): Promise<void> {
    const actor = `device:${device.id}` as const;
    await this.audit.record({ entity: { type: 'device', id: device.id }, actor });
    await this.events.append({
      type: 'device_activated',
      payload: { name: device.name },
      ...this.baseOf(device),
      source: 'http',
      actor,
    });
  }

  /** @param previousOwnerId who handed it on */
  async recordTransfer(device: Device, previousOwnerId: string): Promise<void> {
    const { id, ownerId, name } = device;
    await this.audit.record({
      entity: { type: 'device', id },
      before: { ownerId: previousOwnerId },
      after: { ownerId },
    });
    await this.events.append({
      type: 'device_transferred',
      payload: { name, previousOwnerId },
      ...this.baseOf(device),
    });
  }

  /** For devices whose owner left their organization, or whose organization ended; the cause is audited there. */
  async recordWithdrawals(devices: readonly Pick<Device, 'id' | 'ownerId' | 'version'>[]): Promise<void> {
    const events = devices.map((device) => ({
      type: 'device_updated' as const,
      payload: { changed: ['organizationId'] },
      ...this.baseOf(device),
    }));
    if (events.length > 0) {
      await this.events.append(events);
    }
  }

  /** By its owner, or together with the account of its owner. */
  async recordDeletions(
    devices: readonly Pick<Device, 'id' | 'ownerId' | 'name' | 'hardwareId' | 'version'>[],
  ): Promise<void> {
    if (devices.length === 0) {
      return;
    }
    const context = requestContext();
    await this.audit.recordEach(
      devices.map(({ id, name, hardwareId, ownerId }) => ({
        context,
        record: {
          action: 'device_deleted' as const,
          entity: { type: 'device' as const, id },
          before: { name, hardwareId, ownerId },
        },
      })),
    );
    await this.events.append(
      devices.map((device) => ({
        type: 'device_deleted' as const,
        payload: { name: device.name, hardwareId: device.hardwareId },
        ...this.baseOf(device),
      })),
    );
  }

  private baseOf({ id, ownerId, version }: Pick<Device, 'id' | 'ownerId' | 'version'>) {
    const actor = requestContext()?.actor ?? 'system';
    const source = actor === 'system' ? 'system' : 'http';
    return { source, actor, deviceId: id, userId: ownerId, version } as const;
  }
}

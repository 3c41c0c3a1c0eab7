import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { requestContext } from '../../platform/context/request-context.js';
import { EventLog } from '../../platform/events/event-log.js';
import type { Device, DeviceChanges } from './devices.types.js';

/** What people do to the registry passes here, inside its transaction: into the history, and into the audit trail. */
@Injectable()
export class DeviceEventWriter {
  constructor(
    private readonly events: EventLog,
    private readonly audit: AuditWriter,
  ) {}

  async registered(device: Pick<Device, 'id' | 'ownerId' | 'name' | 'type' | 'hardwareId'>): Promise<void> {
    const { id, ownerId, name, type, hardwareId } = device;
    await this.audit.record({ entity: { type: 'device', id }, after: { name, type, hardwareId, ownerId } });
    await this.events.append({
      type: 'device_registered',
      payload: { name, type, hardwareId },
      source: 'http',
      actor: `user:${ownerId}`,
      deviceId: id,
      userId: ownerId,
    });
  }

  /** @param changes what was given; only that is kept of the values before and after. */
  async updated(before: Device, device: Device, changes: DeviceChanges): Promise<void> {
    const changed = Object.keys(changes) as (keyof DeviceChanges)[];
    const values = (of: Device): Record<string, unknown> => Object.fromEntries(changed.map((key) => [key, of[key]]));
    await this.audit.record({
      entity: { type: 'device', id: device.id },
      before: values(before),
      after: values(device),
    });
    await this.events.append({ type: 'device_updated', payload: { changed }, ...this.about(device) });
  }

  /** Their owner left the organization they were in; what caused it is audited there. */
  async withdrawn(devices: readonly Pick<Device, 'id' | 'ownerId' | 'version'>[]): Promise<void> {
    const events = devices.map((device) => ({
      type: 'device_updated' as const,
      payload: { changed: ['organizationId'] },
      ...this.about(device),
    }));
    if (events.length > 0) {
      await this.events.append(events);
    }
  }

  async deleted(device: Device): Promise<void> {
    const { id, name, hardwareId, ownerId } = device;
    await this.audit.record({ entity: { type: 'device', id }, before: { name, hardwareId, ownerId } });
    await this.events.append({ type: 'device_deleted', payload: { name, hardwareId }, ...this.about(device) });
  }

  private about({ id, ownerId, version }: Pick<Device, 'id' | 'ownerId' | 'version'>) {
    const actor = requestContext()?.actor ?? 'system';
    return { source: 'http', actor, deviceId: id, userId: ownerId, version } as const;
  }
}

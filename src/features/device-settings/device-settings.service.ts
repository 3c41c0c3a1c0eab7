import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EventPayloads } from '../../contracts/events.js';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { requestContext } from '../../platform/context/request-context.js';
import { EventLog } from '../../platform/events/event-log.js';
import { InvalidRequestError } from '../../platform/http/validation/validation.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { sortedJson } from '../../shared/sorted-json.js';
import { DeviceChangeService } from '../devices/device-change.service.js';
import { DeviceNotFoundError } from '../devices/devices.errors.js';
import type { Device } from '../devices/devices.types.js';
import { EventIngestService } from '../history/event-ingest.service.js';
import { SettingsChangedError, SettingsPreconditionError } from './device-settings.errors.js';
import { DeviceSettingsRepository } from './device-settings.repository.js';
import type { LockedSettings, SettingsChange, SettingsRecord, SettingsReport } from './device-settings.types.js';
import { mergeSettings, type SettingValues } from './domain/settings.js';

/** What devices should be set to, and what they said they are set to. */
@Injectable()
export class DeviceSettingsService implements OnModuleInit {
  constructor(
    private readonly repository: DeviceSettingsRepository,
    private readonly changes: DeviceChangeService,
    private readonly transactions: Transactions,
    private readonly events: EventLog,
    private readonly audit: AuditWriter,
    private readonly signals: SignalBus,
    private readonly ingest: EventIngestService,
  ) {}

  onModuleInit(): void {
    this.ingest.onStored('settings_updated', (stored) =>
      this.recordReports(stored.map(({ deviceId, data }) => toReport(deviceId, data))),
    );
  }

  /** The settings of a device; none of them before the first change. */
  async get(deviceId: string): Promise<SettingsRecord> {
    return (await this.repository.find(deviceId)) ?? empty(deviceId);
  }

  /**
   * Changes what is desired. A change that changes nothing makes no new version.
   * @throws DeviceNotFoundError, ForbiddenError, SettingsChangedError, SettingsPreconditionError
   * @throws InvalidRequestError for settings that devices of this type do not have, or that are out of range
   */
  update(userId: string, deviceId: string, change: SettingsChange): Promise<SettingsRecord> {
    return this.transactions.run(async () => {
      const { device } = await this.changes.begin(userId, deviceId, 'admin');
      const before = await this.repository.lock(deviceId);
      if (!before) {
        throw new DeviceNotFoundError(deviceId);
      }
      assertVersion(before, change);
      const desired = merge(before, change.settings);
      await this.audit.record({ entity: { type: 'device', id: deviceId }, before: before.desired, after: desired });
      if (sortedJson(desired) === sortedJson(before.desired)) {
        return before;
      }
      const updated = await this.repository.update(deviceId, desired, before.version);
      if (!updated) {
        throw new SettingsChangedError(before.version);
      }
      await this.recordUpdate(device);
      this.changed(deviceId);
      return updated;
    });
  }

  /** Forgets the settings of a device that gets another owner, as part of the surrounding transaction. */
  async clear(deviceId: string): Promise<void> {
    if (await this.repository.clear(deviceId)) {
      this.changed(deviceId);
    }
  }

  /** The broker is to keep nothing for a device whose tokens ended, as part of the surrounding transaction, which holds it. */
  async revoked(deviceId: string): Promise<void> {
    await this.repository.markRevoked(deviceId);
  }

  private async recordUpdate(device: Pick<Device, 'id' | 'ownerId'>): Promise<void> {
    await this.events.append({
      type: 'device_updated',
      payload: { changed: ['settings'] },
      source: 'http',
      actor: requestContext()?.actor ?? 'system',
      deviceId: device.id,
      userId: device.ownerId,
    });
  }

  /** As part of the transaction that stores the events. Of several reports of a device, the last of the newest version counts. */
  private async recordReports(reports: readonly (SettingsReport | null)[]): Promise<void> {
    const newest = new Map<string, SettingsReport>();
    for (const report of reports) {
      if (report && report.version >= (newest.get(report.deviceId)?.version ?? 0)) {
        newest.set(report.deviceId, report);
      }
    }
    if (newest.size > 0) {
      await this.repository.recordReports([...newest.values()]);
    }
  }

  private changed(deviceId: string): void {
    this.transactions.afterCommit(() => {
      this.signals.publish('settings_changed', { deviceId });
    });
  }
}

function empty(deviceId: string): SettingsRecord {
  const none = { reported: null, reportedVersion: null, reportedAt: null };
  return { deviceId, desired: {}, version: 0, updatedAt: null, ...none };
}

function assertVersion({ version }: LockedSettings, change: SettingsChange): void {
  if (change.versions?.includes(version) === false) {
    throw new SettingsPreconditionError();
  }
  if (change.version !== undefined && change.version !== version) {
    throw new SettingsChangedError(version);
  }
}

/** @throws InvalidRequestError */
function merge({ type, desired }: LockedSettings, change: SettingValues): SettingValues {
  const merged = mergeSettings(type, desired, change);
  if ('settings' in merged) {
    return merged.settings as SettingValues;
  }
  throw new InvalidRequestError(
    merged.faults.map(({ path, detail }) => ({
      detail: `\`${['settings', ...path].join('.').slice(0, 80)}\` ${detail}`,
      pointer: ['', 'settings', ...path].map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1')).join('/'),
    })),
  );
}

/** Null for a report that does not say of which version it is. */
function toReport(deviceId: string, { version, settings }: EventPayloads['settings_updated']): SettingsReport | null {
  return version === undefined ? null : { deviceId, version, ...(settings === undefined ? {} : { settings }) };
}

import { Injectable } from '@nestjs/common';
import type { DeviceType } from '../../contracts/devices.js';
import { arrayParam } from '../../platform/prisma/array-param.js';
import { Database } from '../../platform/prisma/database.js';
import { HAS_TOKEN } from '../devices/devices.types.js';
import type { SettingValues } from './domain/settings.js';
import type { LockedSettings, OutgoingSettings, SettingsRecord, SettingsReport } from './device-settings.types.js';

const COLUMNS = `s.id AS "deviceId", s.desired, s.version, s.updated_at AS "updatedAt", s.reported,
  s.reported_version AS "reportedVersion", s.reported_at AS "reportedAt"`;

const OUTGOING = `s.id, s.version, s.published_version AS "publishedVersion", s.desired, d.id IS NOT NULL AND ${HAS_TOKEN} AS "isWanted"
  FROM device_settings s LEFT JOIN devices d ON d.id = s.device_id`;

/** Nothing is desired, nothing was reported. The version is a new one. */
const CLEARED = `desired = '{}', version = version + 1, updated_at = now(), reported = NULL, reported_version = NULL, reported_at = NULL`;

@Injectable()
export class DeviceSettingsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Null for a device that nothing was set of and that reported nothing. What is left of a former owner, who deleted the device,
   * reads as it will be once it is locked: without anything.
   */
  async find(deviceId: string): Promise<SettingsRecord | null> {
    const row = await this.database.prisma((prisma) =>
      prisma.deviceSettings.findUnique({
        where: { id: deviceId },
        select: {
          deviceId: true,
          desired: true,
          version: true,
          updatedAt: true,
          reported: true,
          reportedVersion: true,
          reportedAt: true,
        },
      }),
    );
    if (row?.deviceId === null) {
      const none = { reported: null, reportedVersion: null, reportedAt: null };
      return { deviceId, desired: {}, version: row.version + 1, updatedAt: null, ...none };
    }
    return (
      row && { ...row, deviceId, desired: row.desired as SettingValues, reported: row.reported as SettingValues | null }
    );
  }

  /** The settings of a device, which begin with nothing. Null when there is no such device. */
  async lock(deviceId: string): Promise<LockedSettings | null> {
    await this.takeOver(deviceId);
    // SQL: a lock
    const [row] = await this.database.query<LockedSettings & { type: DeviceType } & Record<string, unknown>>(
      'device_settings_lock',
      `WITH device AS (SELECT id, type FROM devices WHERE id = $1 FOR KEY SHARE)
       INSERT INTO device_settings AS s (id, device_id) SELECT id, id FROM device
       ON CONFLICT (id) DO UPDATE SET device_id = excluded.device_id
       RETURNING ${COLUMNS}, (SELECT type FROM device) AS type`,
      [deviceId],
    );
    return row ?? null;
  }

  /**
   * What is left of a former owner belongs to the next one, without anything in it. The broker may still have it, and is to have it
   * no longer.
   */
  private async takeOver(deviceId: string): Promise<void> {
    // SQL: database time
    await this.database.execute(
      'device_settings_take_over',
      `UPDATE device_settings SET device_id = id, published_version = least(published_version, 0) - 1, ${CLEARED}
       WHERE id = $1 AND device_id IS NULL AND EXISTS (SELECT FROM devices WHERE id = $1)`,
      [deviceId],
    );
  }

  /** Sets what is desired. @returns null when the version is another one by now */
  async update(deviceId: string, desired: SettingValues, version: number): Promise<SettingsRecord | null> {
    // SQL: database time
    const [row] = await this.database.query<SettingsRecord & Record<string, unknown>>(
      'device_settings_update',
      `UPDATE device_settings s SET desired = $2, version = version + 1, updated_at = now()
       WHERE device_id = $1 AND version = $3 RETURNING ${COLUMNS}`,
      [deviceId, JSON.stringify(desired), version],
    );
    return row ?? null;
  }

  /** Forgets what is desired, and what was reported. The next version is a new one all the same. @returns whether there was anything */
  async clear(deviceId: string): Promise<boolean> {
    // SQL: database time
    const rows = await this.database.query(
      'device_settings_clear',
      `UPDATE device_settings SET ${CLEARED} WHERE device_id = $1 RETURNING id`,
      [deviceId],
    );
    return rows.length === 1;
  }

  /**
   * Records what devices confirmed, one report of each. One of a version that was never given, or that is older than the last
   * one reported, changes nothing. Rows are locked in the order of their ids.
   */
  async recordReports(reports: readonly SettingsReport[]): Promise<void> {
    // SQL: a set-based batch
    await this.database.query(
      'device_settings_reports',
      `INSERT INTO device_settings AS s (id, device_id, reported, reported_version, reported_at)
       SELECT d.id, d.id, r.settings, r.version, now()
       FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'int')}, ${arrayParam(3, 'jsonb')}) AS r(device_id, version, settings)
         JOIN devices d ON d.id = r.device_id
       WHERE r.version = 0 OR EXISTS (SELECT FROM device_settings o WHERE o.device_id = d.id AND r.version <= o.version)
       ORDER BY d.id
       ON CONFLICT (id) DO UPDATE SET reported_version = excluded.reported_version, reported_at = now(),
         reported = coalesce(excluded.reported, CASE WHEN excluded.reported_version = s.version THEN s.desired ELSE s.reported END)
       WHERE excluded.reported_version BETWEEN coalesce(s.reported_version, 0) AND s.version`,
      [
        reports.map(({ deviceId }) => deviceId),
        reports.map(({ version }) => version),
        reports.map(({ settings }) => (settings === undefined ? null : JSON.stringify(settings))),
      ],
    );
  }

  /** What is to be sent to these devices; nothing for those of which nothing was ever set. */
  listOutgoing(deviceIds: readonly string[]): Promise<OutgoingSettings[]> {
    // SQL: a set-based batch
    return this.database.query<OutgoingSettings & Record<string, unknown>>(
      'device_settings_outgoing',
      `SELECT ${OUTGOING} WHERE s.id = ANY($1::uuid[]) AND (s.version > 0 OR s.device_id IS NULL)`,
      [deviceIds],
    );
  }

  /** The present versions, of those devices of which something was ever set. */
  async listVersions(deviceIds: readonly string[]): Promise<{ id: string; version: number }[]> {
    return this.database.prisma((prisma) =>
      prisma.deviceSettings.findMany({
        where: { deviceId: { in: [...deviceIds] }, version: { gt: 0 } },
        select: { id: true, version: true },
      }),
    );
  }

  /** Ids of the settings that were not published yet, or are to be taken back from the broker: what a lost signal left. */
  async listUnpublished(limit: number): Promise<string[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<{ id: string }>(
      'device_settings_unpublished',
      `SELECT s.id FROM device_settings s LEFT JOIN devices d ON d.id = s.device_id
       WHERE (s.version > s.published_version OR s.device_id IS NULL) AND (d.id IS NULL OR s.published_version < 0 OR ${HAS_TOKEN}) LIMIT $1`,
      [limit],
    );
    return rows.map(({ id }) => id);
  }

  /** The broker may not keep the settings of a device any longer. Marks of one device differ: each is to be followed by a look. */
  async markRevoked(deviceId: string): Promise<void> {
    // SQL: something Prisma cannot say: a number that depends on the one before, in one statement
    await this.database.query(
      'device_settings_revoked',
      `UPDATE device_settings SET published_version = least(published_version, 0) - 1 WHERE device_id = $1 AND version > 0`,
      [deviceId],
    );
  }

  /** Notes which versions the broker has. @returns those that are to be looked at again: newer by now, or revoked */
  async markPublished(published: readonly OutgoingSettings[]): Promise<string[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<{ id: string; isOld: boolean }>(
      'device_settings_published',
      `UPDATE device_settings s SET published_version = CASE WHEN s.published_version < 0 AND s.published_version <> p.before
         THEN s.published_version ELSE greatest(s.published_version, p.version) END
       FROM unnest($1::uuid[], $2::int[], $3::int[]) AS p(id, version, before) JOIN devices d ON d.id = p.id
       WHERE s.device_id = d.id
       RETURNING s.id, s.version > p.version OR s.published_version < 0 OR NOT ${HAS_TOKEN} AS "isOld"`,
      [...idsAndVersions(published)],
    );
    return rows.filter(({ isOld }) => isOld).map(({ id }) => id);
  }

  /** Notes that the broker has no settings of these devices, where they were not revoked once more meanwhile. */
  async markRetracted(retracted: readonly OutgoingSettings[]): Promise<void> {
    // SQL: a set-based batch
    await this.database.query(
      'device_settings_retracted',
      `UPDATE device_settings s SET published_version = 0
       FROM unnest($1::uuid[], $2::int[], $3::int[]) AS p(id, version, before)
       WHERE s.device_id = p.id AND s.published_version = p.before`,
      [...idsAndVersions(retracted)],
    );
  }

  /** Forgets settings that were taken back from the broker, and whose devices are deleted. */
  async forgetDeleted(ids: readonly string[]): Promise<void> {
    await this.database.prisma((prisma) =>
      prisma.deviceSettings.deleteMany({ where: { id: { in: [...ids] }, deviceId: null } }),
    );
  }
}

function idsAndVersions(settings: readonly OutgoingSettings[]): [string[], number[], number[]] {
  return [
    settings.map(({ id }) => id),
    settings.map(({ version }) => version),
    settings.map(({ publishedVersion }) => publishedVersion),
  ];
}

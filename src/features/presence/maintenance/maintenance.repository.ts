import { Injectable } from '@nestjs/common';
import type { DeviceStatus } from '../../../contracts/devices.js';
import { Database } from '../../../platform/prisma/database.js';
import { IS_LONG_SILENT } from '../sql/silence-sql.js';

/** A status that has just changed. */
export interface StatusChange {
  readonly ownerId: string;
  readonly previous: DeviceStatus;
  readonly status: DeviceStatus;
  readonly lastSeenAt: Date | null;
  /** Of the device. */
  readonly version: number;
}

/** SQL: the status of a device `d` by its links, and without one by its silence. */
const BY_LINKS = `CASE WHEN EXISTS (SELECT 1 FROM device_links l WHERE l.device_id = d.id) THEN 'online'::device_status
  WHEN d.last_seen_at IS NULL THEN 'unknown' WHEN ${IS_LONG_SILENT} THEN 'inactive' ELSE 'offline' END`;

@Injectable()
export class MaintenanceRepository {
  constructor(private readonly database: Database) {}

  /**
   * Sets the status `maintenance`, or in its place what the links say now. The caller holds the device: births and silences
   * wait, so that the links are those that the status is told of.
   * @returns null when nothing changed
   */
  async set(deviceId: string, isOn: boolean): Promise<StatusChange | null> {
    // SQL: database time
    const [row] = await this.database.query<StatusChange & Record<string, unknown>>(
      'presence_maintenance',
      `UPDATE devices d SET status = CASE WHEN $2 THEN 'maintenance' ELSE ${BY_LINKS} END, version = d.version + 1, updated_at = now()
       FROM devices before WHERE d.id = $1 AND before.id = d.id AND (d.status = 'maintenance') <> $2
       RETURNING d.owner_id AS "ownerId", before.status AS previous, d.status, d.last_seen_at AS "lastSeenAt", d.version`,
      [deviceId, isOn],
    );
    return row ?? null;
  }
}

import { Injectable } from '@nestjs/common';
import type { DeviceStatus } from '../../../contracts/devices.js';
import { Database } from '../../../platform/prisma/database.js';
import { IS_LONG_SILENT } from '../sql/silence-sql.js';

/** A device that has just become inactive. */
export interface InactiveDevice {
  readonly deviceId: string;
  readonly ownerId: string;
  readonly previous: DeviceStatus;
  readonly lastSeenAt: Date;
  readonly version: number;
}

@Injectable()
export class InactivityRepository {
  constructor(private readonly database: Database) {}

  /**
   * Marks devices as inactive that were silent for a day, or for three intervals of their heartbeats if that is longer.
   * Concurrent processes skip each other's rows. An index finds those that are offline: one on `last_seen_at` would make
   * each heartbeat more expensive.
   */
  markInactive(limit: number): Promise<InactiveDevice[]> {
    // SQL: a set-based batch
    return this.database.query<InactiveDevice & Record<string, unknown>>(
      'presence_inactive',
      `WITH silent AS (
         SELECT id, status FROM devices d WHERE status = 'offline'
           AND ${IS_LONG_SILENT}
           AND NOT EXISTS (SELECT 1 FROM device_links l WHERE l.device_id = d.id)
         LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
       )
       UPDATE devices d SET status = 'inactive', version = d.version + 1, updated_at = now()
       FROM silent WHERE d.id = silent.id
       RETURNING d.id AS "deviceId", d.owner_id AS "ownerId", silent.status AS previous, d.last_seen_at AS "lastSeenAt", d.version`,
      [limit],
    );
  }
}

import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/prisma/database.js';
import { type HourlyCount } from './domain/hourly-counts.js';

// SQL: a set-based batch
const ADD_COUNTS = `
  INSERT INTO event_rollups (hour, device_id, type, count)
  SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::bigint[])
  ON CONFLICT (device_id, type, hour) DO UPDATE SET count = event_rollups.count + excluded.count`;

// SQL: a set-based batch
const PURGE = `
  DELETE FROM event_rollups WHERE (device_id, type, hour) IN (
    SELECT device_id, type, hour FROM event_rollups WHERE hour < now() - $2 * interval '1 millisecond'
    ORDER BY hour LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

@Injectable()
export class AnalyticsRepository {
  constructor(private readonly database: Database) {}

  /** Adds to the counts in the table, as part of the surrounding transaction. */
  async addCounts(counts: readonly HourlyCount[]): Promise<void> {
    await this.database.query('event_rollups_add', ADD_COUNTS, [
      counts.map(({ hour }) => hour),
      counts.map(({ deviceId }) => deviceId),
      counts.map(({ type }) => type),
      counts.map(({ count }) => count),
    ]);
  }

  /** @returns how many of at most `limit` were deleted. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('event_rollups_purge', PURGE, [limit, keptMs])).length;
  }
}

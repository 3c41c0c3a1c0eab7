import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { OfflinePeriod, OfflineTurns } from '../domain/offline-turns.js';
import type { QuarterCount } from '../domain/quarter-counts.js';

// SQL: a set-based batch
const ADD_COUNTS = `
  INSERT INTO event_counts (at, device_id, type, kind, count)
  SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::bigint[])
  ON CONFLICT (device_id, at, type, kind, minutes) DO UPDATE SET count = event_counts.count + excluded.count`;

// SQL: a set-based batch
const BEGIN_OFFLINE = `
  INSERT INTO device_offline_periods (device_id, began_at)
  SELECT n.device_id, n.began_at FROM unnest($1::uuid[], $2::timestamptz[]) AS n(device_id, began_at)
  WHERE NOT EXISTS (SELECT FROM device_offline_periods p WHERE p.device_id = n.device_id AND p.ended_at IS NULL)
  ON CONFLICT (device_id, began_at) DO UPDATE SET ended_at = NULL`;

// SQL: a set-based batch
const END_OFFLINE = `
  UPDATE device_offline_periods p SET ended_at = greatest(p.began_at, n.ended_at)
  FROM unnest($1::uuid[], $2::timestamptz[]) AS n(device_id, ended_at)
  WHERE p.device_id = n.device_id AND p.ended_at IS NULL`;

// SQL: a set-based batch
const ADD_OFFLINE = `
  INSERT INTO device_offline_periods (device_id, began_at, ended_at)
  SELECT n.device_id, n.began_at, CASE WHEN n.ended_at < n.began_at THEN n.began_at ELSE n.ended_at END
  FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS n(device_id, began_at, ended_at)
  ON CONFLICT (device_id, began_at) DO UPDATE SET ended_at = excluded.ended_at`;

// SQL: a set-based batch
const PURGE_COUNTS = `
  DELETE FROM event_counts WHERE (device_id, at, type, kind, minutes) IN (
    SELECT device_id, at, type, kind, minutes FROM event_counts WHERE at < now() - $2 * interval '1 millisecond'
    ORDER BY at LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

// SQL: a set-based batch
const PURGE_OFFLINE = `
  DELETE FROM device_offline_periods WHERE (device_id, began_at) IN (
    SELECT device_id, began_at FROM device_offline_periods WHERE ended_at < now() - $2 * interval '1 millisecond'
    ORDER BY ended_at LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

// SQL: a set-based batch
const PURGE_HOURS = `
  DELETE FROM event_rollups WHERE (device_id, type, hour) IN (
    SELECT device_id, type, hour FROM event_rollups WHERE hour < now() - $2 * interval '1 millisecond'
    ORDER BY hour LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

/** The counts, as they are written. */
@Injectable()
export class EventCountsRepository {
  constructor(private readonly database: Database) {}

  /** Since when devices have their owners, of those that were another person's before. */
  async findOwnedSince(deviceIds: readonly string[]): Promise<ReadonlyMap<string, Date>> {
    // SQL: something Prisma cannot say: a comparison of columns
    const rows = await this.database.query<{ id: string; owned_since: Date }>(
      'event_counts_owned_since',
      `SELECT id, owned_since FROM devices WHERE id = ANY ($1::uuid[]) AND (provisioned OR owned_since > created_at)`,
      [deviceIds],
    );
    return new Map(rows.map((row) => [row.id, row.owned_since]));
  }

  /** Adds to the counts in the table, as part of the surrounding transaction. */
  async addCounts(counts: readonly QuarterCount[]): Promise<void> {
    await this.database.query('event_counts_add', ADD_COUNTS, [
      counts.map(({ at }) => at),
      counts.map(({ deviceId }) => deviceId),
      counts.map(({ type }) => type),
      counts.map(({ kind }) => kind),
      counts.map(({ count }) => count),
    ]);
  }

  /** Writes when devices were offline, as part of the surrounding transaction. */
  async turnOffline({ began, ended, further }: OfflineTurns): Promise<void> {
    if (began.length > 0) {
      await this.database.query('offline_periods_begin', BEGIN_OFFLINE, [idsOf(began), beginningsOf(began)]);
    }
    if (ended.length > 0) {
      const ends = ended.map(({ endedAt }) => endedAt);
      await this.database.query('offline_periods_end', END_OFFLINE, [idsOf(ended), ends]);
    }
    if (further.length > 0) {
      const ends = further.map(({ endedAt }) => endedAt);
      await this.database.query('offline_periods_add', ADD_OFFLINE, [idsOf(further), beginningsOf(further), ends]);
    }
  }

  /** @returns how many were deleted, and whether there may be more: of each table at most `limit`. */
  async purge(limit: number, keptMs: number): Promise<{ deleted: number; more: boolean }> {
    const values = [limit, keptMs];
    const counts = await this.database.query('event_counts_purge', PURGE_COUNTS, values);
    const periods = await this.database.query('offline_periods_purge', PURGE_OFFLINE, values);
    const hours = await this.database.query('event_rollups_purge', PURGE_HOURS, values);
    const sizes = [counts.length, periods.length, hours.length];
    return { deleted: sizes.reduce((sum, size) => sum + size, 0), more: sizes.includes(limit) };
  }
}

function idsOf(rows: readonly { deviceId: string }[]): string[] {
  return rows.map(({ deviceId }) => deviceId);
}

function beginningsOf(periods: readonly OfflinePeriod[]): string[] {
  return periods.map(({ beganAt }) => beganAt);
}

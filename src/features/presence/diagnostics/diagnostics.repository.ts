import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import { ago } from '../sql/uptime-sql.js';
import type { HeldRefusals, LastBirth, LineFacts } from './diagnostics.types.js';

/** There are fewer codes. */
const MAX_SHOWN = 100;

@Injectable()
export class DiagnosticsRepository {
  constructor(private readonly database: Database) {}

  async get(deviceId: string): Promise<LineFacts> {
    const [state, refused] = await Promise.all([this.getState(deviceId), this.getRefusals(deviceId)]);
    return { ...state, ...refused };
  }

  private async getState(deviceId: string): Promise<Pick<LineFacts, 'links' | 'lastBirth'>> {
    const device = await this.database.prisma((prisma) =>
      prisma.device.findUnique({
        where: { id: deviceId },
        select: {
          bornAt: true,
          boot: true,
          bootUptimeMs: true,
          firmwareVersion: true,
          links: {
            select: { kind: true, boot: true, connectedAt: true, lastSeenAt: true },
            orderBy: [{ lastSeenAt: 'desc' }, { kind: 'asc' }],
          },
        },
      }),
    );
    const lastBirth: LastBirth | null = device?.bornAt
      ? {
          at: device.bornAt,
          boot: device.boot,
          uptimeMs: device.bootUptimeMs === null ? null : Number(device.bootUptimeMs),
          firmwareVersion: device.firmwareVersion,
        }
      : null;
    return { links: device?.links ?? [], lastBirth };
  }

  private async getRefusals(deviceId: string): Promise<Pick<LineFacts, 'cutUntil' | 'refusals'>> {
    // SQL: database time
    const rows = await this.database.query<{
      code: string;
      count: string;
      first_seen_at: Date;
      last_seen_at: Date;
      detail: string | null;
      cut_until: Date | null;
    }>(
      'diagnostics_get',
      `SELECT code, count::text, first_seen_at, last_seen_at, detail, CASE WHEN cut_until > now() THEN cut_until END AS cut_until
       FROM device_diagnostics WHERE device_id = $1 ORDER BY last_seen_at DESC, code LIMIT $2`,
      [deviceId, MAX_SHOWN],
    );
    return {
      cutUntil: rows.find((row) => row.cut_until !== null)?.cut_until ?? null,
      refusals: rows.map((row) => ({
        code: row.code,
        count: Number(row.count),
        firstSeenAt: row.first_seen_at,
        lastSeenAt: row.last_seen_at,
        detail: row.detail,
      })),
    };
  }

  /**
   * Adds refusals, at most one entry for each device and code. Those of unknown devices are left out. Another process may have
   * written later ones already.
   * @param now on the clock of their times, from which their ages follow: what is stored is the time of the database
   */
  async record(refusals: readonly HeldRefusals[], now: number): Promise<void> {
    // SQL: a set-based batch
    await this.database.query(
      'diagnostics_record',
      `INSERT INTO device_diagnostics AS g (device_id, code, count, detail, first_seen_at, last_seen_at, cut_until)
       SELECT d.id, n.code, n.count, n.detail, ${ago('n.first_age_ms')}, ${ago('n.last_age_ms')}, ${ago('n.last_age_ms - n.cut_ms')}
       FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::float8[], $6::float8[], $7::float8[])
         AS n(device_id, code, count, detail, first_age_ms, last_age_ms, cut_ms) JOIN devices d ON d.id = n.device_id
       ORDER BY d.id, n.code
       ON CONFLICT (device_id, code) DO UPDATE SET count = g.count + excluded.count,
         first_seen_at = least(g.first_seen_at, excluded.first_seen_at), last_seen_at = greatest(g.last_seen_at, excluded.last_seen_at),
         detail = coalesce(excluded.detail, g.detail), cut_until = coalesce(excluded.cut_until, g.cut_until)`,
      [
        refusals.map(({ deviceId }) => deviceId),
        refusals.map(({ code }) => code),
        refusals.map(({ count }) => count),
        refusals.map(({ detail }) => detail),
        refusals.map(({ firstAt }) => now - firstAt),
        refusals.map(({ lastAt }) => now - lastAt),
        refusals.map(({ cutMs }) => cutMs),
      ],
    );
  }

  /** Deletes what did not happen for so long. @returns how many. */
  async purge(limit: number, keptMs: number): Promise<number> {
    // SQL: a set-based batch
    const rows = await this.database.query(
      'diagnostics_purge',
      `DELETE FROM device_diagnostics WHERE (device_id, code) IN (
         SELECT device_id, code FROM device_diagnostics
         WHERE last_seen_at < now() - $2 * interval '1 millisecond'
         ORDER BY last_seen_at LIMIT $1 FOR UPDATE SKIP LOCKED
       ) RETURNING code`,
      [limit, keptMs],
    );
    return rows.length;
  }
}

import { Injectable } from '@nestjs/common';
import { DatabaseIdentityStore } from '../../platform/prisma/database-identity-store.js';
import { Database } from '../../platform/prisma/database.js';
import { HAS_TOKEN, tokenIsValid } from '../devices/devices.types.js';
import type { ArrivedBoot, DeviceBoot, Receipt, ReceiptRow } from './history.types.js';

/** A boot that says it has run for longer (ten years, in milliseconds) started at no time that means something. */
const LONGEST_UPTIME = 315_360_000_000;
/** How long the receipts of a boot are kept after its last event. */
export const RECEIPTS_KEPT_DAYS = 30;
/** Boots of a device whose receipts are kept, beside the present one. */
const KEPT_BOOTS = 16;

@Injectable()
export class HistoryRepository {
  constructor(
    private readonly database: Database,
    private readonly identity: DatabaseIdentityStore,
  ) {}

  /**
   * Reads how far the events of each boot are stored and when it started, and inserts the rows of new boots. The rows stay
   * locked until the transaction ends, in one order, so that batches with the same devices run in sequence, and their devices
   * before them, as a deletion does it. Their tokens stay what they are meanwhile: a revocation waits for what is being stored.
   * Unknown devices, and those whose token was revoked, are left out.
   */
  async lockReceipts(boots: readonly ArrivedBoot[]): Promise<ReceiptRow[]> {
    // SQL: a lock
    await this.database.execute(
      'history_lock_devices',
      `SELECT FROM devices d JOIN device_credentials t ON t.device_id = d.id AND ${tokenIsValid('t')}
       WHERE d.id = ANY ($1::uuid[]) ORDER BY d.id FOR NO KEY UPDATE OF d FOR SHARE OF t`,
      [boots.map(({ deviceId }) => deviceId)],
    );
    // SQL: a lock
    const rows = await this.database.query<
      Omit<ReceiptRow, 'seq' | 'resumeFrom'> & { seq: string; resumeFrom: string | null }
    >(
      'history_lock_receipts',
      `WITH held AS (
         INSERT INTO device_receipts AS r (device_id, boot, seq, boot_started_at, adopted_at)
         SELECT d.id, s.boot, 0, t.started,
           CASE WHEN coalesce(t.started, now() - make_interval(days => ${String(RECEIPTS_KEPT_DAYS)})) <= $4 THEN $4::timestamptz END
         FROM unnest($1::uuid[], $2::text[], $3::float8[]) AS s(device_id, boot, started_ms_ago)
           JOIN devices d ON d.id = s.device_id
           CROSS JOIN LATERAL (SELECT CASE
             WHEN d.boot IS DISTINCT FROM s.boot AND s.started_ms_ago < ${String(LONGEST_UPTIME)}
               THEN now() - s.started_ms_ago * interval '1 millisecond'
             WHEN d.boot = s.boot AND d.uptime_fell_at IS NULL AND d.boot_uptime_ms < ${String(LONGEST_UPTIME)}
               THEN d.boot_reported_at - d.boot_uptime_ms * interval '1 millisecond' END AS started) AS t
         WHERE ${HAS_TOKEN}
         ORDER BY d.id, s.boot
         ON CONFLICT (device_id, boot) DO UPDATE SET updated_at = now(),
           boot_started_at = coalesce(excluded.boot_started_at, r.boot_started_at)
         RETURNING r.device_id, r.boot, r.seq, r.boot_started_at, r.adopted_at, r.resume_from, r.resume_seen_at, r.xmax = 0 AS is_new
       )
       SELECT h.device_id AS "deviceId", h.boot, h.seq::text, d.owner_id AS "ownerId",
         CASE WHEN d.provisioned OR d.owned_since > d.created_at THEN d.owned_since END AS "ownedSince", d.version, h.is_new AS "isNew",
         d.boot IS NOT DISTINCT FROM h.boot AS "isBorn",
         coalesce(qd.events, 0) AS "deviceEventsToday", coalesce(qo.events, 0) AS "ownerEventsToday", now() AS now,
         CASE WHEN d.boot = h.boot AND d.uptime_fell_at IS NOT NULL THEN NULL ELSE h.boot_started_at END AS "bootStartedAt",
         h.adopted_at AS "adoptedAt", h.resume_from::text AS "resumeFrom", h.resume_seen_at AS "resumeSeenAt"
       FROM held h JOIN devices d ON d.id = h.device_id
         LEFT JOIN event_quotas qd ON qd.subject_id = d.id AND qd.day = current_date
         LEFT JOIN event_quotas qo ON qo.subject_id = d.owner_id AND qo.day = current_date`,
      [
        boots.map(({ deviceId }) => deviceId),
        boots.map(({ boot }) => boot),
        boots.map(({ startedMsAgo }) => startedMsAgo ?? null),
        this.identity.adoptedAt,
      ],
    );
    return rows.map((row) => ({
      ...row,
      seq: Number(row.seq),
      resumeFrom: row.resumeFrom === null ? null : Number(row.resumeFrom),
    }));
  }

  /** Records where the sequences of boots go on that have receipts which a restore has lost. The rows are locked. */
  async resumeReceipts(rows: readonly ReceiptRow[]): Promise<void> {
    // SQL: a set-based batch
    await this.database.execute(
      'history_resume_receipts',
      `UPDATE device_receipts r SET seq = m.seq, adopted_at = m.adopted_at, resume_from = m.resume_from,
         resume_seen_at = m.resume_seen_at
       FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::bigint[], $6::timestamptz[])
         AS m(device_id, boot, seq, adopted_at, resume_from, resume_seen_at)
       WHERE r.device_id = m.device_id AND r.boot = m.boot`,
      [
        rows.map(({ deviceId }) => deviceId),
        rows.map(({ boot }) => boot),
        rows.map(({ seq }) => seq),
        rows.map(({ adoptedAt }) => adoptedAt),
        rows.map(({ resumeFrom }) => resumeFrom),
        rows.map(({ resumeSeenAt }) => resumeSeenAt),
      ],
    );
  }

  /** Notes of every receipt that later ones may be lost, because a backup was restored. @returns how many */
  async markReceiptsIncomplete(): Promise<number> {
    // SQL: a set-based batch
    const [row] = await this.database.query<{ marked: number }>(
      'history_mark_receipts',
      `WITH marked AS (
         UPDATE device_receipts SET adopted_at = now(), resume_from = NULL, resume_seen_at = NULL RETURNING 1)
       SELECT count(*)::int AS marked FROM marked`,
    );
    return row?.marked ?? 0;
  }

  /** Forgets when a boot started: its uptime fell, and by it what it still sends would be weeks too early. */
  async forgetStart({ deviceId, boot }: DeviceBoot): Promise<void> {
    await this.database.prisma((prisma) =>
      prisma.deviceReceipt.updateMany({ where: { deviceId, boot }, data: { bootStartedAt: null } }),
    );
  }

  /** How far these boots of a device are stored, by boot. */
  async listReceipts(deviceId: string, boots: readonly string[]): Promise<Map<string, number>> {
    const receipts = await this.database.prisma((prisma) =>
      prisma.deviceReceipt.findMany({
        where: { deviceId, boot: { in: [...boots] } },
        select: { boot: true, seq: true },
      }),
    );
    return new Map(receipts.map(({ boot, seq }) => [boot, Number(seq)]));
  }

  /** Advances receipts, each from the number that was read. @throws Error when one has changed since. */
  async advanceReceipts(moves: readonly (Receipt & { from: number })[]): Promise<void> {
    // SQL: a set-based batch
    const rows = await this.database.query(
      'history_advance_receipts',
      `UPDATE device_receipts r SET seq = m.seq, updated_at = now()
       FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) AS m(device_id, boot, seq, from_seq)
       WHERE r.device_id = m.device_id AND r.boot = m.boot AND r.seq = m.from_seq RETURNING r.device_id`,
      [
        moves.map((move) => move.deviceId),
        moves.map((move) => move.boot),
        moves.map((move) => move.seq),
        moves.map((move) => move.from),
      ],
    );
    if (rows.length !== moves.length) {
      throw new Error('A receipt changed although its row was locked.');
    }
  }

  /** Keeps only the newest boots of these devices, beside the present one. Rows that another batch has locked stay. */
  async forgetEarlierBoots(deviceIds: readonly string[]): Promise<void> {
    // SQL: a set-based batch
    await this.database.execute(
      'history_forget_boots',
      `DELETE FROM device_receipts WHERE (device_id, boot) IN (
         SELECT r.device_id, r.boot FROM unnest($1::uuid[]) AS s(device_id)
         JOIN devices d ON d.id = s.device_id
         CROSS JOIN LATERAL (
           SELECT o.device_id, o.boot FROM device_receipts o
           WHERE o.device_id = s.device_id AND o.boot IS DISTINCT FROM d.boot
           ORDER BY o.updated_at DESC OFFSET ${String(KEPT_BOOTS)}
         ) AS old
         JOIN device_receipts r ON r.device_id = old.device_id AND r.boot = old.boot
         FOR UPDATE OF r SKIP LOCKED
       )`,
      [deviceIds],
    );
  }

  /** Deletes the counts of days that are over. @returns how many. */
  async purgeEventCounts(limit: number, keptMs: number): Promise<number> {
    // SQL: a set-based batch
    const rows = await this.database.query(
      'history_purge_counts',
      `DELETE FROM event_quotas WHERE (subject_id, day) IN (
         SELECT subject_id, day FROM event_quotas WHERE day < (now() - $2 * interval '1 millisecond')::date
         ORDER BY day LIMIT $1 FOR UPDATE SKIP LOCKED
       ) RETURNING day`,
      [limit, keptMs],
    );
    return rows.length;
  }

  /** Deletes receipts of old boots; that of the current boot stays. @returns how many. */
  async purgeReceipts(limit: number, keptMs: number): Promise<number> {
    // SQL: a set-based batch
    const rows = await this.database.query(
      'history_purge_receipts',
      `DELETE FROM device_receipts WHERE (device_id, boot) IN (
         SELECT r.device_id, r.boot FROM device_receipts r JOIN devices d ON d.id = r.device_id
         WHERE r.updated_at < now() - $2 * interval '1 millisecond' AND r.boot IS DISTINCT FROM d.boot
         ORDER BY r.updated_at LIMIT $1 FOR UPDATE OF r SKIP LOCKED
       ) RETURNING boot`,
      [limit, keptMs],
    );
    return rows.length;
  }
}

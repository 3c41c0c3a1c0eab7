import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/prisma/database.js';
import { HAS_TOKEN, isOfThisOwner } from '../devices/devices.types.js';
import { keepsAnchor } from './clock-anchor.types.js';
import type { HeartbeatOutcome, HeldHeartbeat, StateReport } from './presence.types.js';
import { ago, counts, isBack, isFall, START_BEFORE_FALL } from './sql/uptime-sql.js';

/** The condition that a report `r` changes something of `d`, and does not only repeat it. */
const NEWS = `(r.lock_state IS DISTINCT FROM d.lock_state AND r.lock_state IS NOT NULL
    OR r.door_state IS DISTINCT FROM d.door_state AND r.door_state IS NOT NULL
    OR r.battery IS DISTINCT FROM d.battery AND r.battery IS NOT NULL
    OR r.calibrated IS DISTINCT FROM coalesce(d.lock_calibrated, true) AND r.calibrated IS NOT NULL
    OR r.jammed IS DISTINCT FROM (d.lock_jammed_at IS NOT NULL) AND r.jammed IS NOT NULL)`;

/** The condition that a report `r` is of the current boot of `d`. */
const CURRENT = '(d.boot IS NULL OR d.boot = r.boot)';

// SQL: a lock
const LOCK_DEVICES = 'SELECT FROM devices WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE';

/** What devices report of their clocks and their state. Every device writes here twice a minute. */
@Injectable()
export class ReportsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Writes heartbeats, at most one of each link. Of two of a device the newer one counts. An uptime is recorded only for the current boot. It never decreases,
   * unless it fell: then the lower one is the present one.
   * Rows are locked in the order of their ids, so that two processes cannot deadlock.
   * @returns the links (`deviceId/kind`) that their heartbeats have, and the devices that they are of
   */
  async recordHeartbeats(
    beats: readonly HeldHeartbeat[],
  ): Promise<{ linked: Set<string>; written: HeartbeatOutcome[] }> {
    const [reported, at] = ['b.uptime_ms', 'b.at'];
    const columns = [
      beats.map((beat) => beat.deviceId),
      beats.map((beat) => beat.boot),
      beats.map((beat) => beat.uptimeMs ?? null),
      beats.map((beat) => beat.battery ?? null),
      beats.map((beat) => beat.rssi ?? null),
      beats.map((beat) => beat.ageMs),
      beats.map((beat) => beat.waitedMs ?? 0),
    ];
    // A separate statement: one that waited for a lock would still see the tokens as they were before the wait.
    // SQL: a lock
    await this.database.execute('presence_lock_devices', LOCK_DEVICES, [columns[0]]);
    // SQL: a set-based batch
    const written = await this.database.query<HeartbeatOutcome & Record<string, unknown>>(
      'presence_heartbeats',
      `WITH beat AS (
         SELECT DISTINCT ON (device_id) *, ${ago('age_ms')} AS at, ${ago('age_ms + waited_ms')} AS seen_at
         FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::int[], $5::int[], $6::float8[], $7::float8[])
           AS b(device_id, boot, uptime_ms, battery, rssi, age_ms, waited_ms)
         ORDER BY device_id, age_ms
       ), held AS MATERIALIZED (
         SELECT d.id, d.boot, d.boot_uptime_ms, d.boot_reported_at, d.uptime_fell_at, d.start_before_fall, d.anchor_uptime_ms,
           d.anchor_at, d.owned_since, d.created_at FROM devices d
         WHERE d.id = ANY($1::uuid[]) AND ${HAS_TOKEN} ORDER BY d.id FOR NO KEY UPDATE
       ), judged AS (
         SELECT b.*, h.boot = b.boot AND ${counts(reported, at)} AS counts, h.boot = b.boot AND ${isBack(reported, at)} AS steady,
           h.boot = b.boot AND ${isFall(reported, at)} AS fell,
           (${isFall(reported, at)}) IS NOT TRUE AND ${keepsAnchor(reported, at)} AS keeps
         FROM beat b JOIN held h ON h.id = b.device_id AND ${isOfThisOwner('h', 'b.at')}
       ), written AS (
         UPDATE devices d SET
           last_seen_at = greatest(d.last_seen_at, b.seen_at),
           battery = coalesce(b.battery, d.battery), rssi = coalesce(b.rssi, d.rssi),
           battery_at = CASE WHEN b.battery IS NULL THEN d.battery_at ELSE greatest(d.battery_at, b.seen_at) END,
           rssi_at = CASE WHEN b.rssi IS NULL THEN d.rssi_at ELSE greatest(d.rssi_at, b.seen_at) END,
           uptime_fell_at = CASE WHEN b.fell THEN now() WHEN b.steady THEN NULL ELSE d.uptime_fell_at END,
           start_before_fall = CASE WHEN b.fell THEN ${START_BEFORE_FALL} WHEN b.steady THEN NULL ELSE d.start_before_fall END,
           boot_reported_at = CASE WHEN b.counts THEN b.at ELSE d.boot_reported_at END,
           boot_uptime_ms = CASE WHEN b.counts THEN b.uptime_ms ELSE d.boot_uptime_ms END,
           anchor_at = CASE WHEN b.counts AND b.keeps IS NOT TRUE THEN b.at ELSE d.anchor_at END,
           anchor_uptime_ms = CASE WHEN b.counts AND b.keeps IS NOT TRUE THEN b.uptime_ms ELSE d.anchor_uptime_ms END
         FROM judged b WHERE d.id = b.device_id 
         RETURNING d.id AS "deviceId", b.boot, b.fell IS TRUE AS fell, d.owner_id AS "ownerId",
           d.organization_id AS "organizationId", b.seen_at AS at
       )
       SELECT * FROM written`,
      columns,
    );
    // SQL: a set-based batch
    const rows = await this.database.query<{ device_id: string; kind: string }>(
      'presence_link_heartbeats',
      `UPDATE device_links l SET last_seen_at = greatest(l.last_seen_at, ${ago('b.age_ms')})
       FROM unnest($1::uuid[], $2::text[], $3::float8[], $4::link_kind[]) AS b(device_id, boot, age_ms, kind)
         JOIN devices d ON d.id = b.device_id
       WHERE l.device_id = d.id AND l.kind = b.kind AND l.boot = b.boot AND ${HAS_TOKEN} RETURNING l.device_id, l.kind`,
      [columns[0], columns[1], beats.map((beat) => beat.ageMs + (beat.waitedMs ?? 0)), beats.map((beat) => beat.link)],
    );
    return { linked: new Set(rows.map((row) => `${row.device_id}/${row.kind}`)), written };
  }

  /** Records reports of the current boots, one for each device and boot. Rows are locked in the order of their ids. */
  async recordStates(reports: readonly StateReport[]): Promise<void> {
    if (reports.length === 0) {
      return;
    }
    // SQL: a set-based batch
    await this.database.query(
      'presence_states',
      `WITH r AS (
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::boolean[], $7::boolean[])
           AS r(device_id, boot, lock_state, door_state, battery, calibrated, jammed)
       ), held AS MATERIALIZED (
         SELECT d.id FROM devices d JOIN r ON r.device_id = d.id WHERE ${CURRENT} ORDER BY d.id FOR NO KEY UPDATE OF d
       )
       UPDATE devices d SET
         lock_state = coalesce(r.lock_state, d.lock_state), door_state = coalesce(r.door_state, d.door_state),
         battery = coalesce(r.battery, d.battery), lock_calibrated = coalesce(r.calibrated, d.lock_calibrated),
         lock_state_at = CASE WHEN r.lock_state IS NULL THEN d.lock_state_at ELSE now() END,
         door_state_at = CASE WHEN r.door_state IS NULL THEN d.door_state_at ELSE now() END,
         battery_at = CASE WHEN r.battery IS NULL THEN d.battery_at ELSE now() END,
         lock_jammed_at = CASE WHEN r.jammed THEN now() WHEN NOT r.jammed THEN NULL ELSE d.lock_jammed_at END,
         version = CASE WHEN ${NEWS} THEN d.version + 1 ELSE d.version END,
         updated_at = CASE WHEN ${NEWS} THEN now() ELSE d.updated_at END
       FROM r JOIN held h ON h.id = r.device_id WHERE d.id = r.device_id AND ${CURRENT}`,
      [
        reports.map((report) => report.deviceId),
        reports.map((report) => report.boot),
        reports.map((report) => report.lockState ?? null),
        reports.map((report) => report.doorState ?? null),
        reports.map((report) => report.battery ?? null),
        reports.map((report) => report.calibrated ?? null),
        reports.map((report) => report.jammed ?? null),
      ],
    );
  }
}

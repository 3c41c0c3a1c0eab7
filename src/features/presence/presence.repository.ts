import { Injectable } from '@nestjs/common';
import type { DeviceStatus, LinkKind } from '../../contracts/devices.js';
import { Database } from '../../platform/prisma/database.js';
import { HAS_TOKEN } from '../devices/devices.types.js';
import { LATE_REPORT_MS } from './domain/uptime.js';
import type { Birth, HeldHeartbeat, LockedDevice, SilentDevice, SilentLink, StateReport } from './presence.types.js';

/** Three missed heartbeats. */
const SILENT_LINK_S = 90;
/** One missed heartbeat and a half: the device of such a link may have restarted while its birth was lost. */
const QUIET_LINK_S = 45;
const SILENT_DEVICE_H = 24;
/** How long after the birth of the next connection a will may still arrive. */
const LATE_WILL_S = 5;

/**
 * The condition that a later report of the same boot, of the uptime `reported` and from the time `at`, shows that the
 * uptime fell: it lags behind the newest report by more than their order of arrival explains.
 */
const fell = (reported: string, at: string): string =>
  `boot_uptime_ms - ${reported} > ${String(LATE_REPORT_MS)}
     + greatest(extract(epoch FROM boot_reported_at - (${at})) * 1000, 0)`;

/** The condition that a report `r` of the current boot of `d` changes something. */
const NEWS = `(d.boot IS NULL OR d.boot = r.boot)
  AND (r.lock_state IS DISTINCT FROM d.lock_state AND r.lock_state IS NOT NULL
    OR r.door_state IS DISTINCT FROM d.door_state AND r.door_state IS NOT NULL
    OR r.battery IS DISTINCT FROM d.battery AND r.battery IS NOT NULL)`;

/** Links, status and reported state. Every device writes here twice a minute. */
@Injectable()
export class PresenceRepository {
  constructor(private readonly database: Database) {}

  /** Locks the row of a device, so that its births, wills and silences are processed in sequence. */
  async lock(deviceId: string, link: LinkKind): Promise<LockedDevice | null> {
    // SQL: a lock
    const [device] = await this.database.query<{
      owner_id: string;
      status: DeviceStatus;
      version: number;
      has_token: boolean;
    }>(
      'presence_lock',
      `SELECT d.owner_id, d.status, d.version, ${HAS_TOKEN} AS has_token FROM devices d WHERE d.id = $1
       FOR NO KEY UPDATE`,
      [deviceId],
    );
    // A separate statement: one that waited for the lock would still see the link as it was before the wait.
    // SQL: database time
    const [open] = await this.database.query<{ boot: string; quiet: boolean }>(
      'presence_link',
      `SELECT boot, last_seen_at < now() - make_interval(secs => ${String(QUIET_LINK_S)}) AS quiet
       FROM device_links WHERE device_id = $1 AND kind = $2`,
      [deviceId, link],
    );
    return device
      ? {
          ownerId: device.owner_id,
          status: device.status,
          version: device.version,
          hasToken: device.has_token,
          link: open ?? null,
        }
      : null;
  }

  /**
   * Records a birth. The time of the report is that of the transaction, which is later than its arrival: deadlines
   * computed from it are shorter, never longer. @returns the new version, and whether this report shows that the uptime
   * fell within one boot.
   */
  async recordBirth(deviceId: string, birth: Birth): Promise<{ version: number; uptimeFell: boolean }> {
    // SQL: database time
    const [row] = await this.database.query<{ version: number; uptimeFell: boolean }>(
      'presence_birth',
      `WITH report AS (
         SELECT boot = $2 AND boot_uptime_ms > $3::bigint AS lower,
           boot = $2 AND ${fell('$3::bigint', 'now() - make_interval(secs => $7::float8 / 1000)')} AS fell
         FROM devices WHERE id = $1
       )
       UPDATE devices SET
         uptime_fell_at = CASE WHEN r.fell THEN now() WHEN boot = $2 THEN uptime_fell_at END,
         boot_reported_at = CASE WHEN r.lower AND NOT r.fell THEN boot_reported_at ELSE now() END,
         boot_uptime_ms = CASE WHEN r.lower AND NOT r.fell THEN boot_uptime_ms ELSE $3 END,
         boot = $2, last_seen_at = now(), updated_at = now(),
         status = CASE WHEN status = 'maintenance' THEN status ELSE 'online' END,
         firmware_version = coalesce($4, firmware_version),
         lock_state = coalesce($5, lock_state), door_state = coalesce($6, door_state),
         version = version + 1
       FROM report r WHERE id = $1 RETURNING version, coalesce(r.fell, false) AS "uptimeFell"`,
      [
        deviceId,
        birth.boot,
        birth.uptimeMs,
        birth.firmwareVersion ?? null,
        birth.lockState ?? null,
        birth.doorState ?? null,
        birth.ageMs ?? 0,
      ],
    );
    return row ?? { version: 0, uptimeFell: false };
  }

  async openLink(deviceId: string, link: LinkKind, boot: string): Promise<void> {
    // SQL: database time
    await this.database.query(
      'presence_open_link',
      `INSERT INTO device_links AS l (device_id, kind, boot) VALUES ($1, $2, $3)
       ON CONFLICT (device_id, kind) DO UPDATE SET boot = excluded.boot, last_seen_at = now(),
         reborn_at = CASE WHEN l.boot = excluded.boot THEN now() END,
         connected_at = CASE WHEN l.boot = excluded.boot THEN l.connected_at ELSE now() END`,
      [deviceId, link, boot],
    );
  }

  /**
   * Closes the link on a will, if the same boot opened it. When a device reconnects, its new birth and the will of the
   * old connection arrive in any order: therefore a birth on an open link makes the link survive one will.
   */
  async closeOnWill(deviceId: string, link: LinkKind, boot: string): Promise<boolean> {
    // SQL: something Prisma cannot say: a CTE that decides whether the link is deleted
    const rows = await this.database.query(
      'presence_will',
      `WITH spared AS (
         UPDATE device_links SET reborn_at = NULL WHERE device_id = $1 AND kind = $2 AND boot = $3
           AND reborn_at > now() - make_interval(secs => ${String(LATE_WILL_S)}) RETURNING device_id
       )
       DELETE FROM device_links WHERE device_id = $1 AND kind = $2 AND boot = $3
         AND NOT EXISTS (SELECT 1 FROM spared) RETURNING device_id`,
      [deviceId, link, boot],
    );
    return rows.length === 1;
  }

  /** Closes the link, of whatever boot. */
  async closeLink(deviceId: string, kind: LinkKind): Promise<void> {
    await this.database.prisma((prisma) => prisma.deviceLink.deleteMany({ where: { deviceId, kind } }));
  }

  /** Closes the link if it is still silent, and of that boot. */
  async closeSilent(deviceId: string, link: LinkKind, boot: string): Promise<boolean> {
    // SQL: database time
    const rows = await this.database.query(
      'presence_silence',
      `DELETE FROM device_links WHERE device_id = $1 AND kind = $2 AND boot = $3
         AND last_seen_at < now() - make_interval(secs => ${String(SILENT_LINK_S)}) RETURNING device_id`,
      [deviceId, link, boot],
    );
    return rows.length === 1;
  }

  /** Marks a device without links as offline. @returns its new version; null when that changed nothing. */
  async markOffline(deviceId: string): Promise<number | null> {
    // SQL: database time
    const [row] = await this.database.query<{ version: number }>(
      'presence_offline',
      `UPDATE devices d SET status = 'offline', version = version + 1, updated_at = now()
       WHERE id = $1 AND status = 'online' AND NOT EXISTS (SELECT 1 FROM device_links l WHERE l.device_id = d.id)
       RETURNING version`,
      [deviceId],
    );
    return row?.version ?? null;
  }

  /**
   * Writes heartbeats, at most one of each device. An uptime is recorded only for the current boot. It never decreases,
   * unless it fell: then the lower one is the present one.
   * Rows are locked in the order of their ids, so that two processes cannot deadlock.
   * @returns the devices that have the link of their heartbeat, and those whose uptime fell within one boot
   */
  async recordHeartbeats(beats: readonly HeldHeartbeat[]): Promise<{ linked: Set<string>; fallen: string[] }> {
    const columns = [
      beats.map((beat) => beat.deviceId),
      beats.map((beat) => beat.boot),
      beats.map((beat) => beat.uptimeMs),
      beats.map((beat) => beat.battery ?? null),
      beats.map((beat) => beat.rssi ?? null),
      beats.map((beat) => beat.ageMs),
    ];
    // SQL: a set-based batch
    const fallen = await this.database.query<{ id: string }>(
      'presence_heartbeats',
      `WITH beat AS (
         SELECT *, now() - make_interval(secs => age_ms / 1000) AS at
         FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::int[], $5::int[], $6::float8[])
           AS b(device_id, boot, uptime_ms, battery, rssi, age_ms)
       ), held AS MATERIALIZED (
         SELECT d.id, d.boot, d.boot_uptime_ms, d.boot_reported_at FROM devices d
         WHERE d.id = ANY($1::uuid[]) AND ${HAS_TOKEN} ORDER BY d.id FOR NO KEY UPDATE
       ), judged AS (
         SELECT b.*, h.boot = b.boot AND b.uptime_ms >= h.boot_uptime_ms AS rose,
           h.boot = b.boot AND ${fell('b.uptime_ms', 'b.at')} AS fell
         FROM beat b JOIN held h ON h.id = b.device_id
       ), written AS (
         UPDATE devices d SET
           last_seen_at = greatest(d.last_seen_at, b.at),
           battery = coalesce(b.battery, d.battery), rssi = coalesce(b.rssi, d.rssi),
           uptime_fell_at = CASE WHEN b.fell THEN now() ELSE d.uptime_fell_at END,
           boot_reported_at = CASE WHEN b.rose OR b.fell THEN b.at ELSE d.boot_reported_at END,
           boot_uptime_ms = CASE WHEN b.rose OR b.fell THEN b.uptime_ms ELSE d.boot_uptime_ms END
         FROM judged b WHERE d.id = b.device_id RETURNING d.id, b.fell
       )
       SELECT id FROM written WHERE fell`,
      columns,
    );
    // SQL: a set-based batch
    const rows = await this.database.query<{ device_id: string }>(
      'presence_link_heartbeats',
      `UPDATE device_links l SET last_seen_at = greatest(l.last_seen_at, now() - make_interval(secs => b.age_ms / 1000))
       FROM unnest($1::uuid[], $2::text[], $3::float8[], $4::link_kind[]) AS b(device_id, boot, age_ms, kind)
       WHERE l.device_id = b.device_id AND l.kind = b.kind AND l.boot = b.boot RETURNING l.device_id`,
      [columns[0], columns[1], columns[5], beats.map((beat) => beat.link)],
    );
    return { linked: new Set(rows.map((row) => row.device_id)), fallen: fallen.map(({ id }) => id) };
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
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[])
           AS r(device_id, boot, lock_state, door_state, battery)
       ), held AS MATERIALIZED (
         SELECT d.id FROM devices d JOIN r ON r.device_id = d.id WHERE ${NEWS} ORDER BY d.id FOR NO KEY UPDATE OF d
       )
       UPDATE devices d SET
         lock_state = coalesce(r.lock_state, d.lock_state), door_state = coalesce(r.door_state, d.door_state),
         battery = coalesce(r.battery, d.battery), version = d.version + 1, updated_at = now()
       FROM r JOIN held h ON h.id = r.device_id WHERE d.id = r.device_id AND ${NEWS}`,
      [
        reports.map((report) => report.deviceId),
        reports.map((report) => report.boot),
        reports.map((report) => report.lockState ?? null),
        reports.map((report) => report.doorState ?? null),
        reports.map((report) => report.battery ?? null),
      ],
    );
  }

  listSilentLinks(limit: number): Promise<SilentLink[]> {
    // SQL: database time
    return this.database.query(
      'presence_silent_links',
      `SELECT device_id AS "deviceId", kind AS link, boot FROM device_links
       WHERE last_seen_at < now() - make_interval(secs => ${String(SILENT_LINK_S)}) ORDER BY last_seen_at LIMIT $1`,
      [limit],
    );
  }

  /** Marks devices that were silent for a day as inactive. Concurrent processes skip each other's rows. */
  markInactive(limit: number): Promise<SilentDevice[]> {
    // SQL: a set-based batch
    return this.database.query(
      'presence_inactive',
      `WITH silent AS (
         SELECT id, status FROM devices d WHERE status IN ('online', 'offline')
           AND last_seen_at < now() - make_interval(hours => ${String(SILENT_DEVICE_H)})
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

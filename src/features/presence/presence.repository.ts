import { Injectable } from '@nestjs/common';
import type { DeviceStatus, LinkKind } from '../../contracts/devices.js';
import { Database } from '../../platform/prisma/database.js';
import type { StateReport } from '../devices/devices.types.js';
import type { Birth, HeldHeartbeat, LockedDevice, SilentDevice, SilentLink } from './presence.types.js';

/** Three missed heartbeats. */
const SILENT_LINK_S = 90;
/** One missed heartbeat and a half: a link so quiet may be somebody's who has restarted unheard. */
const QUIET_LINK_S = 45;
const SILENT_DEVICE_H = 24;
/** How long the will of a connection may take after the birth of the next one. */
const LATE_WILL_S = 5;

/** That a report `r` of the present start of `d` says something new. */
const NEWS = `(d.boot IS NULL OR d.boot = r.boot)
  AND (r.lock_state IS DISTINCT FROM d.lock_state AND r.lock_state IS NOT NULL
    OR r.door_state IS DISTINCT FROM d.door_state AND r.door_state IS NOT NULL
    OR r.battery IS DISTINCT FROM d.battery AND r.battery IS NOT NULL)`;

/** Links, status and what devices report: SQL of its own, because every device writes here twice a minute. */
@Injectable()
export class PresenceRepository {
  constructor(private readonly database: Database) {}

  /** Holds the row of a device, so that its births, wills and silences happen one after another. */
  async lock(deviceId: string, link: LinkKind): Promise<LockedDevice | null> {
    const [device] = await this.database.query<{ owner_id: string; status: DeviceStatus; version: number }>(
      'presence_lock',
      'SELECT owner_id, status, version FROM devices WHERE id = $1 FOR NO KEY UPDATE',
      [deviceId],
    );
    // A statement of its own: one that waited for the lock would still see the link as it was before.
    const [open] = await this.database.query<{ boot: string; quiet: boolean }>(
      'presence_link',
      `SELECT boot, last_seen_at < now() - make_interval(secs => ${String(QUIET_LINK_S)}) AS quiet
       FROM device_links WHERE device_id = $1 AND kind = $2`,
      [deviceId, link],
    );
    return device
      ? { ownerId: device.owner_id, status: device.status, version: device.version, link: open ?? null }
      : null;
  }

  /**
   * Takes over what a birth says. The time of the report is that of the transaction, which is later than we heard it:
   * deadlines computed from it come out shorter, never longer. @returns the new version.
   */
  async recordBirth(deviceId: string, birth: Birth): Promise<number> {
    const [row] = await this.database.query<{ version: number }>(
      'presence_birth',
      `UPDATE devices SET
         boot_reported_at = CASE WHEN boot = $2 AND boot_uptime_ms > $3 THEN boot_reported_at ELSE now() END,
         boot_uptime_ms = CASE WHEN boot = $2 AND boot_uptime_ms > $3 THEN boot_uptime_ms ELSE $3 END,
         boot = $2, last_seen_at = now(), updated_at = now(),
         status = CASE WHEN status = 'maintenance' THEN status ELSE 'online' END,
         firmware_version = coalesce($4, firmware_version),
         lock_state = coalesce($5, lock_state), door_state = coalesce($6, door_state),
         version = version + 1
       WHERE id = $1 RETURNING version`,
      [
        deviceId,
        birth.boot,
        birth.uptimeMs,
        birth.firmwareVersion ?? null,
        birth.lockState ?? null,
        birth.doorState ?? null,
      ],
    );
    return row?.version ?? 0;
  }

  async openLink(deviceId: string, link: LinkKind, boot: string): Promise<void> {
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
   * Closes the link on a will, if that start of the device opened it. A device that reconnects is born again at the
   * moment the broker speaks its will, and both are heard in any order: a birth over an open link spares it one will.
   */
  async closeOnWill(deviceId: string, link: LinkKind, boot: string): Promise<boolean> {
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

  /** Closes the link if it is silent still, and of that start. */
  async closeSilent(deviceId: string, link: LinkKind, boot: string): Promise<boolean> {
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
   * Writes heartbeats: one of each device at most. An uptime is taken over from the start it belongs to, and never
   * back. Rows are locked in the order of their ids, so that two processes cannot wait for each other.
   * @returns the devices whose link they belong to.
   */
  async recordHeartbeats(beats: readonly HeldHeartbeat[]): Promise<Set<string>> {
    const columns = [
      beats.map((beat) => beat.deviceId),
      beats.map((beat) => beat.boot),
      beats.map((beat) => beat.uptimeMs),
      beats.map((beat) => beat.battery ?? null),
      beats.map((beat) => beat.rssi ?? null),
      beats.map((beat) => beat.ageMs),
    ];
    await this.database.query(
      'presence_heartbeats',
      `WITH beat AS (
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::int[], $5::int[], $6::float8[])
           AS b(device_id, boot, uptime_ms, battery, rssi, age_ms)
       ), held AS MATERIALIZED (
         SELECT id FROM devices WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
       )
       UPDATE devices d SET
         last_seen_at = greatest(d.last_seen_at, now() - make_interval(secs => b.age_ms / 1000)),
         battery = coalesce(b.battery, d.battery), rssi = coalesce(b.rssi, d.rssi),
         boot_reported_at = CASE WHEN d.boot = b.boot AND b.uptime_ms >= d.boot_uptime_ms
           THEN now() - make_interval(secs => b.age_ms / 1000) ELSE d.boot_reported_at END,
         boot_uptime_ms = CASE WHEN d.boot = b.boot AND b.uptime_ms >= d.boot_uptime_ms
           THEN b.uptime_ms ELSE d.boot_uptime_ms END
       FROM beat b JOIN held h ON h.id = b.device_id WHERE d.id = b.device_id`,
      columns,
    );
    const rows = await this.database.query<{ device_id: string }>(
      'presence_link_heartbeats',
      `UPDATE device_links l SET last_seen_at = greatest(l.last_seen_at, now() - make_interval(secs => b.age_ms / 1000))
       FROM unnest($1::uuid[], $2::text[], $3::float8[], $4::link_kind[]) AS b(device_id, boot, age_ms, kind)
       WHERE l.device_id = b.device_id AND l.kind = b.kind AND l.boot = b.boot RETURNING l.device_id`,
      [columns[0], columns[1], columns[5], beats.map((beat) => beat.link)],
    );
    return new Set(rows.map((row) => row.device_id));
  }

  /** What devices report of their present start: one report for each. Rows are locked in the order of their ids. */
  async recordStates(reports: readonly StateReport[]): Promise<void> {
    if (reports.length === 0) {
      return;
    }
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
    return this.database.query(
      'presence_silent_links',
      `SELECT device_id AS "deviceId", kind AS link, boot FROM device_links
       WHERE last_seen_at < now() - make_interval(secs => ${String(SILENT_LINK_S)}) ORDER BY last_seen_at LIMIT $1`,
      [limit],
    );
  }

  /** Marks devices that were silent for a day; several processes take different ones. */
  markInactive(limit: number): Promise<SilentDevice[]> {
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

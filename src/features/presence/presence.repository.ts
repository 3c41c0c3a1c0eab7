import { Injectable } from '@nestjs/common';
import { DEVICE_STATUSES, type DeviceStatus, LINK_KINDS, type LinkKind } from '../../contracts/devices.js';
import { Database } from '../../platform/prisma/database.js';
import { HAS_TOKEN, isOfThisOwner } from '../devices/devices.types.js';
import { keepsAnchor } from './clock-anchor.types.js';
import { ago, counts, isBack, isFall, START_BEFORE_FALL } from './uptime-sql.js';
import type {
  Birth,
  DeviceCounts,
  LockedDevice,
  RecordedBirth,
  SilentDevice,
  SilentLink,
  Will,
} from './presence.types.js';

/** Three missed heartbeats. */
const SILENT_LINK_S = 90;
/** One missed heartbeat and a half: the device of such a link may have restarted while its birth was lost. */
const QUIET_LINK_S = 45;
const SILENT_DEVICE_H = 24;
/** How long after the birth of the next connection a will may still arrive. */
const LATE_WILL_S = 5;

/** Links, and the status that follows from them. */
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
    }>('presence_lock', `SELECT d.owner_id, d.status, d.version FROM devices d WHERE d.id = $1 FOR NO KEY UPDATE`, [
      deviceId,
    ]);
    // A separate statement: one that waited for the lock would still see link and tokens as they were before the wait.
    // SQL: database time
    const [now] = await this.database.query<{
      boot: string | null;
      quiet: boolean;
      clock_boot: string | null;
      uptime_ms: string | null;
      of_device: number;
      of_owner: number;
      has_token: boolean;
    }>(
      'presence_link',
      `SELECT l.boot, l.last_seen_at < now() - make_interval(secs => ${String(QUIET_LINK_S)}) AS quiet,
         d.boot AS clock_boot, d.boot_uptime_ms AS uptime_ms, coalesce(qd.events, 0) AS of_device, coalesce(qo.events, 0) AS of_owner,
         ${HAS_TOKEN} AS has_token
       FROM devices d LEFT JOIN device_links l ON l.device_id = d.id AND l.kind = $2
         LEFT JOIN event_quotas qd ON qd.subject_id = d.id AND qd.day = current_date
         LEFT JOIN event_quotas qo ON qo.subject_id = d.owner_id AND qo.day = current_date
       WHERE d.id = $1`,
      [deviceId, link],
    );
    return device && now
      ? {
          ownerId: device.owner_id,
          status: device.status,
          version: device.version,
          hasToken: now.has_token,
          link: now.boot === null ? null : { boot: now.boot, quiet: now.quiet },
          clock: now.clock_boot === null ? null : { boot: now.clock_boot, uptimeMs: Number(now.uptime_ms) },
          eventsToday: { ofDevice: now.of_device, ofOwner: now.of_owner },
        }
      : null;
  }

  /**
   * Records a birth, as of its arrival: deadlines computed from it are shorter than the device's own, never longer.
   * After one without an uptime no deadline can be computed until a report has one, which is still compared with the last.
   * @returns null when another boot has been heard of since the birth was sent, so that nothing changed
   */
  async recordBirth(deviceId: string, birth: Birth): Promise<RecordedBirth | null> {
    const [reported, at] = ['$3::bigint', ago('$7')];
    // SQL: database time
    const [row] = await this.database.query<RecordedBirth & Record<string, unknown>>(
      'presence_birth',
      `WITH report AS (
         SELECT boot = $2 AND ${isFall(reported, at)} AS fell,
           boot = $2 AND boot_uptime_ms IS NOT NULL AND ${reported} IS NULL AND NOT $8 AS clears,
           boot IS DISTINCT FROM $2 OR boot_uptime_ms IS NULL OR ${counts(reported, at)} AS counts,
           boot IS DISTINCT FROM $2 OR ${isBack(reported, at)} AS steady,
           boot = $2 AND (${isFall(reported, at)}) IS NOT TRUE AND ${keepsAnchor(reported, at)} AS keeps
         FROM devices WHERE id = $1 AND ${isOfThisOwner('devices', at)} AND (boot <> $2 AND coalesce(boot_reported_at, (
           SELECT max(greatest(l.connected_at, l.reborn_at)) FROM device_links l WHERE l.device_id = $1 AND l.boot <> $2
         )) > ${ago('$7 + $9')}) IS NOT TRUE
       )
       UPDATE devices SET
         uptime_fell_at = CASE WHEN r.fell THEN now() WHEN r.steady THEN NULL ELSE uptime_fell_at END,
         start_before_fall = CASE WHEN r.fell OR r.clears THEN ${START_BEFORE_FALL}
           WHEN r.steady THEN NULL ELSE start_before_fall END,
         boot_reported_at = CASE WHEN r.counts THEN ${at} WHEN r.clears THEN NULL ELSE boot_reported_at END,
         boot_uptime_ms = CASE WHEN r.counts THEN $3 ELSE boot_uptime_ms END,
         anchor_at = CASE WHEN r.clears THEN NULL WHEN r.counts AND r.keeps IS NOT TRUE THEN ${at} ELSE anchor_at END,
         anchor_uptime_ms = CASE WHEN r.counts AND r.keeps IS NOT TRUE THEN $3 ELSE anchor_uptime_ms END,
         boot = $2, born_at = ${at}, last_seen_at = now(), updated_at = now(),
         status = CASE WHEN status = 'maintenance' THEN status ELSE 'online' END,
         firmware_version = coalesce($4, firmware_version),
         lock_state = coalesce($5, lock_state), door_state = coalesce($6, door_state),
         version = version + 1
       FROM report r WHERE id = $1 RETURNING version, coalesce(r.fell, false) AS "uptimeFell",
         boot_uptime_ms IS NULL OR boot_reported_at IS NULL AS "uptimeUnknown"`,
      [
        deviceId,
        birth.boot,
        birth.uptimeMs ?? null,
        birth.firmwareVersion ?? null,
        birth.lockState ?? null,
        birth.doorState ?? null,
        birth.ageMs ?? 0,
        birth.isHeartbeat ?? false,
        birth.waitedMs ?? 0,
      ],
    );
    return row ?? null;
  }

  /** Opens the link, as of the arrival of the birth. */
  async openLink(deviceId: string, link: LinkKind, { boot, ageMs }: Birth): Promise<void> {
    // SQL: database time
    await this.database.query(
      'presence_open_link',
      `INSERT INTO device_links AS l (device_id, kind, boot, connected_at) VALUES ($1, $2, $3, ${ago('$4')})
       ON CONFLICT (device_id, kind) DO UPDATE SET boot = excluded.boot, last_seen_at = now(),
         reborn_at = CASE WHEN l.boot = excluded.boot THEN excluded.connected_at END,
         connected_at = CASE WHEN l.boot = excluded.boot THEN l.connected_at ELSE excluded.connected_at END`,
      [deviceId, link, boot, ageMs ?? 0],
    );
  }

  /**
   * Closes the link on a will, if the same boot opened it, and before the will was sent. When a device reconnects, its new
   * birth and the will of the old connection arrive in any order: therefore a birth on an open link makes the link
   * survive one will. A will that may have waited leaves a link on which something has arrived meanwhile; one that is
   * left in error is closed by its silence.
   */
  async closeOnWill(deviceId: string, link: LinkKind, { boot, ageMs = 0, waitedMs = 0 }: Will): Promise<boolean> {
    // SQL: something Prisma cannot say: a CTE that decides whether the link is deleted
    const rows = await this.database.query(
      'presence_will',
      `WITH spared AS (
         UPDATE device_links SET reborn_at = NULL WHERE device_id = $1 AND kind = $2 AND boot = $3
           AND (reborn_at > ${ago('$4')} - make_interval(secs => ${String(LATE_WILL_S)}) OR connected_at > ${ago('$4')}
             OR $5 AND last_seen_at > ${ago('$4')})
           RETURNING device_id
       )
       DELETE FROM device_links WHERE device_id = $1 AND kind = $2 AND boot = $3
         AND NOT EXISTS (SELECT 1 FROM spared) RETURNING device_id`,
      [deviceId, link, boot, ageMs + waitedMs, waitedMs > 0],
    );
    return rows.length === 1;
  }

  /** Closes the link, of whatever boot. */
  async closeLink(deviceId: string, kind: LinkKind): Promise<void> {
    await this.database.prisma((prisma) => prisma.deviceLink.deleteMany({ where: { deviceId, kind } }));
  }

  /** Closes the link if it is still silent, and of that boot. */
  async closeSilent(deviceId: string, link: LinkKind, { boot }: Will): Promise<boolean> {
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

  /** How many devices have each status, and how many connections there are of each kind. */
  async countDevices(): Promise<DeviceCounts> {
    const [statuses, kinds] = await Promise.all([
      this.database.prisma((prisma) => prisma.device.groupBy({ by: ['status'], _count: true })),
      this.database.prisma((prisma) => prisma.deviceLink.groupBy({ by: ['kind'], _count: true })),
    ]);
    return {
      byStatus: DEVICE_STATUSES.map((status) => ({
        status,
        count: statuses.find((row) => row.status === status)?._count ?? 0,
      })),
      byKind: LINK_KINDS.map((kind) => ({ kind, count: kinds.find((row) => row.kind === kind)?._count ?? 0 })),
    };
  }
}

import { Injectable } from '@nestjs/common';
import { DEVICE_STATUSES, type DeviceStatus, LINK_KINDS, type LinkKind } from '../../contracts/devices.js';
import { Database } from '../../platform/prisma/database.js';
import { HAS_TOKEN, isOfThisOwner } from '../devices/devices.types.js';
import { keepsAnchor } from './clock-anchor.types.js';
import { IS_SILENT, LONGEST_UNCHECKED, QUIETNESS, SILENCE, silenceAfter } from './sql/silence-sql.js';
import { ago, counts, isBack, isFall, START_BEFORE_FALL } from './sql/uptime-sql.js';
import type {
  Birth,
  DeviceCounts,
  LinkOfBoot,
  LockedDevice,
  RecordedBirth,
  SilentLink,
  Will,
} from './presence.types.js';

/** How long after the birth of the next connection a will may still arrive. */
const LATE_WILL_S = 5;
/** How much later than it arrived a birth may seem to have come, since it waited for a connection to the database. */
const RECORDED_WITHIN_S = 2;

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
      other_links: readonly LinkOfBoot[];
      of_device: number;
      of_owner: number;
      has_token: boolean;
    }>(
      'presence_link',
      `SELECT l.boot, l.last_seen_at < now() - ${QUIETNESS} AS quiet,
         ARRAY (
           SELECT jsonb_build_object('kind', l.kind, 'boot', l.boot, 'quiet', l.last_seen_at < now() - ${QUIETNESS})
           FROM device_links l WHERE l.device_id = d.id AND l.kind <> $2
         ) AS other_links,
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
          otherLinks: now.other_links,
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
         boot_heard_at = CASE WHEN boot IS DISTINCT FROM $2 THEN ${at} ELSE boot_heard_at END,
         boot = $2, born_at = ${at}, last_seen_at = now(), updated_at = now(),
         status = CASE WHEN status = 'maintenance' THEN status ELSE 'online' END,
         firmware_version = coalesce($4, firmware_version),
         lock_state = coalesce($5, lock_state), door_state = coalesce($6, door_state),
         heartbeat_interval_ms = CASE WHEN $8 THEN coalesce($10, heartbeat_interval_ms) ELSE $10 END,
         lock_state_at = CASE WHEN $5::text IS NULL THEN lock_state_at ELSE ${at} END,
         door_state_at = CASE WHEN $6::text IS NULL THEN door_state_at ELSE ${at} END,
         lock_jammed_at = CASE WHEN $5::text IS NULL THEN lock_jammed_at END,
         lock_calibrated = coalesce($11, $5::text IS NOT NULL OR NULL, lock_calibrated),
         version = version + 1
       FROM report r WHERE id = $1 RETURNING version, coalesce(r.fell, false) AS "uptimeFell",
         boot_uptime_ms IS NULL OR boot_reported_at IS NULL AS "uptimeUnknown",
         heartbeat_interval_ms AS "heartbeatIntervalMs"`,
      [deviceId, ...valuesOf(birth)],
    );
    return row ?? null;
  }

  /**
   * Opens the link, as of the arrival of the birth, of a device that sends heartbeats so often, and ends those that an earlier
   * boot of the device has left.
   */
  async openLink(deviceId: string, link: LinkKind, { boot, ageMs }: Birth, intervalMs: number): Promise<void> {
    // SQL: database time
    await this.database.query(
      'presence_open_link',
      `WITH left_behind AS (DELETE FROM device_links WHERE device_id = $1 AND kind <> $2 AND boot <> $3)
       INSERT INTO device_links AS l (device_id, kind, boot, connected_at, heartbeat_interval_ms, check_at)
       VALUES ($1, $2, $3, ${ago('$4')}, $5, now() + least(${silenceAfter('$5::int')}, ${LONGEST_UNCHECKED}))
       ON CONFLICT (device_id, kind) DO UPDATE SET boot = excluded.boot, last_seen_at = now(),
         heartbeat_interval_ms = excluded.heartbeat_interval_ms, check_at = excluded.check_at,
         reborn_at = CASE WHEN l.boot = excluded.boot THEN excluded.connected_at END,
         connected_at = CASE WHEN l.boot = excluded.boot THEN l.connected_at ELSE excluded.connected_at END`,
      [deviceId, link, boot, ageMs ?? 0, intervalMs],
    );
  }

  /**
   * Closes the link on a will, if the same boot opened it, and before the will was sent. When a device reconnects, its new
   * birth and the will of the old connection arrive in any order, but over the embedded broker: therefore a birth on an open
   * link makes the link survive one will. A will that may have waited leaves a link on which something has arrived meanwhile; one that is
   * left in error is closed by its silence. A will that knows when its connection was born leaves a link that was born again
   * well after that.
   */
  async closeOnWill(
    deviceId: string,
    link: LinkKind,
    { boot, ageMs = 0, waitedMs = 0, inOrder = false, bornMsAgo }: Will,
  ): Promise<boolean> {
    // SQL: something Prisma cannot say: a CTE that decides whether the link is deleted
    const rows = await this.database.query(
      'presence_will',
      `WITH spared AS (
         UPDATE device_links SET reborn_at = NULL WHERE device_id = $1 AND kind = $2 AND boot = $3
           AND (NOT $6 AND reborn_at > ${ago('$4')} - make_interval(secs => ${String(LATE_WILL_S)}) OR connected_at > ${ago('$4')}
             OR $5 AND last_seen_at > ${ago('$4')}
             OR greatest(connected_at, reborn_at) > ${ago('$7')} + make_interval(secs => ${String(LATE_WILL_S)}))
           RETURNING device_id
       )
       DELETE FROM device_links WHERE device_id = $1 AND kind = $2 AND boot = $3
         AND NOT EXISTS (SELECT 1 FROM spared) RETURNING device_id`,
      [deviceId, link, boot, ageMs + waitedMs, waitedMs > 0, inOrder, bornMsAgo ?? null],
    );
    return rows.length === 1;
  }

  /**
   * Closes the link of a connection that was ended, unless the device was born since, or well after that connection was, over
   * another process. Of a connection of which no birth is known, the link of whatever boot.
   */
  async closeEnded(
    deviceId: string,
    link: LinkKind,
    { boot, ageMs = 0, bornMsAgo }: Omit<Will, 'boot'> & { boot?: string | undefined },
  ): Promise<boolean> {
    // SQL: database time
    const rows = await this.database.query(
      'presence_token_end',
      `DELETE FROM device_links WHERE device_id = $1 AND kind = $2 AND ($3::text IS NULL OR boot = $3
         AND greatest(connected_at, reborn_at) <= least(${ago('$4')}, ${ago('$5')} + make_interval(secs => ${String(RECORDED_WITHIN_S)})))
       RETURNING device_id`,
      [deviceId, link, boot ?? null, ageMs, bornMsAgo ?? 0],
    );
    return rows.length === 1;
  }

  /** Closes the link, of whatever boot. */
  async closeLink(deviceId: string, kind: LinkKind): Promise<void> {
    await this.database.prisma((prisma) => prisma.deviceLink.deleteMany({ where: { deviceId, kind } }));
  }

  /** Closes the link if it is still silent, or its device was revoked, and of that boot. */
  async closeSilent(deviceId: string, link: LinkKind, { boot }: Will): Promise<boolean> {
    // SQL: database time
    const rows = await this.database.query(
      'presence_silence',
      `DELETE FROM device_links l USING devices d WHERE d.id = l.device_id
         AND l.device_id = $1 AND l.kind = $2 AND l.boot = $3 AND ${IS_SILENT} RETURNING l.device_id`,
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
   * Looks at links that may be silent by now, and puts off those that are not: one look at each in 60 to 90 s costs less
   * than an index that every heartbeat changes. Concurrent processes skip each other's rows.
   * @returns the silent ones, and whether there may be more to look at
   */
  async findSilentLinks(limit: number): Promise<{ silent: SilentLink[]; more: boolean }> {
    // SQL: a set-based batch
    const rows = await this.database.query<SilentLink & { silent: boolean }>(
      'presence_silent_links',
      `WITH due AS (
         SELECT l.device_id, l.kind, l.boot, ${IS_SILENT} AS silent FROM device_links l JOIN devices d ON d.id = l.device_id
         WHERE l.check_at < now() ORDER BY l.check_at LIMIT $1 FOR NO KEY UPDATE OF l SKIP LOCKED
       ), heard AS (
         UPDATE device_links l SET check_at = least(l.last_seen_at + ${SILENCE}, now() + ${LONGEST_UNCHECKED}) FROM due
         WHERE l.device_id = due.device_id AND l.kind = due.kind AND NOT due.silent
       )
       SELECT device_id AS "deviceId", kind AS link, boot, silent FROM due`,
      [limit],
    );
    return { silent: rows.filter(({ silent }) => silent), more: rows.length === limit };
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

/** `$2` onwards of the statement that records a birth. */
function valuesOf(birth: Birth): unknown[] {
  const { boot, uptimeMs, firmwareVersion, lockState, doorState, ageMs = 0, isHeartbeat = false, waitedMs = 0 } = birth;
  const reported = [uptimeMs, firmwareVersion, lockState, doorState].map((value) => value ?? null);
  const declared = [birth.heartbeatIntervalMs, birth.calibrated].map((value) => value ?? null);
  return [boot, ...reported, ageMs, isHeartbeat, waitedMs, ...declared];
}

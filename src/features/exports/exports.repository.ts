import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/prisma/database.js';
import type { CreationPosition } from '../../shared/cursor.js';
import {
  COVERED_EXPORT_COLUMNS,
  type CoveredExportRow,
  EXPORT_COLUMNS,
  type ExportRow,
  toCoveredExport,
  toExport,
} from './export-rows.js';
import {
  type CoveredDevice,
  type CoveredExport,
  type Export,
  type ExportRequest,
  WAIT_LEASE_MS,
} from './exports.types.js';

/** The log ends where it stands: what is committed now, and what is under way that began before. */
// SQL: something Prisma cannot say: xid8
const ADD = `
  INSERT INTO exports AS e (id, user_id, type, format, request, devices, end_xid, waited_until, schedule_id, due_at)
  VALUES ($1, $2, $3, $4, $5, $6, event_log_position(pg_snapshot_xmax(pg_current_snapshot())),
    now() + $7::float8 * interval '1 millisecond', $8, $9)
  ON CONFLICT (schedule_id, due_at) DO NOTHING
  RETURNING ${EXPORT_COLUMNS}`;

// SQL: a keyset
const LIST = `
  SELECT ${EXPORT_COLUMNS} FROM exports e
  WHERE e.user_id = $1 AND ($3::timestamptz IS NULL OR (e.created_at, e.id) < ($3::timestamptz, $4::uuid))
  ORDER BY e.created_at DESC, e.id DESC LIMIT $2`;

// SQL: database time
const FIND = `SELECT ${EXPORT_COLUMNS} FROM exports e WHERE e.id = $1`;

// SQL: database time
const FIND_COVERED = `SELECT ${COVERED_EXPORT_COLUMNS} FROM exports e WHERE e.id = $1`;

// SQL: database time
const FIND_UNTIL = `SELECT ${COVERED_EXPORT_COLUMNS} FROM exports e WHERE e.id = $1 AND e.user_id IS NOT NULL AND now() < to_timestamp($2)`;

// SQL: database time
const TIME_AFTER = `SELECT now() + $1 * interval '1 millisecond' AS at`;

// SQL: a lock
const LOCK_PERSON = `SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE`;

// SQL: database time
const FIND_RECENT = `
  SELECT ${EXPORT_COLUMNS} FROM exports e
  WHERE e.user_id = $1 AND e.type = $2 AND e.format = $3 AND e.request = $4::jsonb AND e.devices IS NOT DISTINCT FROM $5::jsonb
    AND e.state = 'COMPLETED' AND e.snapshot_at > now() - $6 * interval '1 millisecond' AND e.expires_at > now() + interval '1 hour'
  ORDER BY e.snapshot_at DESC LIMIT 1`;

/** Its worker notices within a second, and deletes what it has written: only then is looked for files. */
const SOON = `now() + interval '30 seconds'`;

/** Not once it was said that none waits: a mail tells of that end. */
// SQL: database time
const GO_ON_WAITING = `
  UPDATE exports SET waited_until = now() + $2 * interval '1 millisecond'
  WHERE id = $1 AND state IN ('PENDING', 'RUNNING') AND waited_until IS NOT NULL`;

// SQL: database time
const FIND_UNTOLD = `
  SELECT ${EXPORT_COLUMNS} FROM exports e
  WHERE e.id = $1 AND e.state IN ('COMPLETED', 'FAILED') AND e.waited_until IS NOT NULL AND e.user_id IS NOT NULL`;

// SQL: something Prisma cannot say: whether there was one
const STOP_WAITING = `
  UPDATE exports SET waited_until = NULL WHERE id = $1 AND state IN ('PENDING', 'RUNNING') RETURNING 1`;

// SQL: database time
const CANCEL = `
  UPDATE exports e SET state = 'CANCELLED', finished_at = now(), next_attempt_at = ${SOON}
  WHERE e.id = $1 AND e.state IN ('PENDING', 'RUNNING') RETURNING ${EXPORT_COLUMNS}`;

/** Out of sight at once; the file is deleted next, and then the row. */
// SQL: database time
const REMOVE = `
  UPDATE exports SET user_id = NULL, finished_at = coalesce(finished_at, now()), next_attempt_at = CASE WHEN state = 'RUNNING' THEN ${SOON} ELSE now() END,
    state = CASE WHEN state IN ('PENDING', 'RUNNING') THEN 'CANCELLED' ELSE state END
  WHERE id = $1 RETURNING id`;

// SQL: database time
const EXPIRE = `
  WITH expired AS (UPDATE exports SET state = 'EXPIRED', next_attempt_at = now()
    WHERE state = 'COMPLETED' AND expires_at <= now() RETURNING 1)
  SELECT count(*)::int AS expired FROM expired`;

/** Of people who are gone. */
// SQL: database time
const CANCEL_ORPHANS = `
  UPDATE exports SET state = 'CANCELLED', finished_at = now(), next_attempt_at = CASE WHEN state = 'RUNNING' THEN ${SOON} ELSE now() END
  WHERE state IN ('PENDING', 'RUNNING') AND user_id IS NULL`;

/** Whose files are of no use any more, each looked at by one process at a time. */
// SQL: a lock
const CLAIM_FILES = `
  UPDATE exports SET next_attempt_at = now() + interval '1 minute'
  WHERE id IN (SELECT id FROM exports WHERE has_file AND next_attempt_at <= now()
      AND state IN ('FAILED', 'CANCELLED', 'EXPIRED', 'COMPLETED') AND (state <> 'COMPLETED' OR user_id IS NULL)
    ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id, attempts`;

const FILES_DELETED = `UPDATE exports SET has_file = false WHERE id = $1 AND attempts = $2`;

// SQL: a set-based batch
const PURGE = `
  DELETE FROM exports WHERE id IN (
    SELECT id FROM exports WHERE NOT has_file AND finished_at < now()
      - CASE WHEN user_id IS NULL THEN interval '0' ELSE $2 * interval '1 millisecond' END
    ORDER BY finished_at LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

/** An export that is asked for. */
export interface NewExport extends ExportRequest {
  readonly id: string;
  readonly userId: string;
  readonly devices: readonly CoveredDevice[] | null;
  /** The request that asks for it waits for the end. */
  readonly isWaitedFor: boolean;
  readonly scheduleId?: string;
  readonly dueAt?: Date;
}

/** Files of an export that are to be deleted. */
export interface UnusedFiles extends Pick<Export, 'id' | 'attempts'> {}

/** The table of exports, with every time read from the database clock. */
@Injectable()
export class ExportsRepository {
  constructor(private readonly database: Database) {}

  /** Null when the schedule has made this one before. */
  async add(wanted: NewExport): Promise<Export | null> {
    const { id, userId, type, format, devices, isWaitedFor, scheduleId = null, dueAt = null } = wanted;
    const leaseMs = isWaitedFor ? WAIT_LEASE_MS : null;
    const values = [id, userId, type, format, requestJson(wanted), jsonOf(devices), leaseMs, scheduleId, dueAt];
    const [row] = await this.database.query<ExportRow>('exports_add', ADD, values);
    return row ? toExport(row) : null;
  }

  /** Newest first, one more than `limit` if there are more. */
  async list(userId: string, limit: number, after: CreationPosition | null): Promise<Export[]> {
    const rows = await this.database.query<ExportRow>('exports_list', LIST, [
      userId,
      limit + 1,
      ...(after ?? [null, null]),
    ]);
    return rows.map(toExport);
  }

  async find(id: string): Promise<Export | null> {
    const [row] = await this.database.query<ExportRow>('exports_find', FIND, [id]);
    return row ? toExport(row) : null;
  }

  async findCovered(id: string): Promise<CoveredExport | null> {
    const [row] = await this.database.query<CoveredExportRow>('exports_find_covered', FIND_COVERED, [id]);
    return row ? toCoveredExport(row) : null;
  }

  /** Null after that time too, in seconds since 1970. */
  async findUntil(id: string, epochS: number): Promise<CoveredExport | null> {
    const [row] = await this.database.query<CoveredExportRow>('exports_find_until', FIND_UNTIL, [id, epochS]);
    return row ? toCoveredExport(row) : null;
  }

  async timeAfter(ms: number): Promise<Date> {
    const [row] = await this.database.query<{ at: Date }>('exports_time_after', TIME_AFTER, [ms]);
    return row?.at ?? new Date(0);
  }

  /** How many exports of a person have not ended; no other one is counted until the end of the transaction. */
  async countOpen(userId: string): Promise<number> {
    // A statement of its own: who waited for the lock counts what was added meanwhile.
    await this.database.query('exports_lock_person', LOCK_PERSON, [userId]);
    return this.database.prisma((prisma) =>
      prisma.export.count({ where: { userId, state: { in: ['PENDING', 'RUNNING'] } } }),
    );
  }

  /** The same export, if it shows a moment that is not older than this. */
  async findRecent(wanted: NewExport, maxAgeMs: number): Promise<Export | null> {
    const { userId, type, format, devices } = wanted;
    const values = [userId, type, format, requestJson(wanted), jsonOf(devices), maxAgeMs];
    const [row] = await this.database.query<ExportRow>('exports_find_recent', FIND_RECENT, values);
    return row ? toExport(row) : null;
  }

  /** The request goes on waiting for the end. */
  async goOnWaiting(id: string): Promise<void> {
    await this.database.query('exports_go_on_waiting', GO_ON_WAITING, [id, WAIT_LEASE_MS]);
  }

  /** The request that waited was answered with the end. */
  async answered(id: string): Promise<void> {
    await this.database.prisma((prisma) => prisma.export.updateMany({ where: { id }, data: { waitedUntil: null } }));
  }

  /** One that has ended while a request waited for it, if that request was not answered. */
  async findUntold(id: string): Promise<Export | null> {
    const [row] = await this.database.query<ExportRow>('exports_find_untold', FIND_UNTOLD, [id]);
    return row ? toExport(row) : null;
  }

  /** No request waits for the end any more: a mail tells of it. @returns false when it has ended. */
  async stopWaiting(id: string): Promise<boolean> {
    return (await this.database.query('exports_stop_waiting', STOP_WAITING, [id])).length > 0;
  }

  /** Null when it has ended. */
  async cancel(id: string): Promise<Export | null> {
    const [row] = await this.database.query<ExportRow>('exports_cancel', CANCEL, [id]);
    return row ? toExport(row) : null;
  }

  async remove(id: string): Promise<void> {
    await this.database.query('exports_remove', REMOVE, [id]);
  }

  /** @returns how many files have been kept for long enough. */
  async expire(): Promise<number> {
    const [row] = await this.database.query<{ expired: number }>('exports_expire', EXPIRE);
    return row?.expired ?? 0;
  }

  async cancelOrphans(): Promise<void> {
    await this.database.query('exports_cancel_orphans', CANCEL_ORPHANS);
  }

  claimUnusedFiles(limit: number): Promise<UnusedFiles[]> {
    return this.database.query<UnusedFiles & Record<string, unknown>>('exports_claim_files', CLAIM_FILES, [limit]);
  }

  async filesDeleted({ id, attempts }: UnusedFiles): Promise<void> {
    // SQL: database time
    await this.database.query('exports_files_deleted', FILES_DELETED, [id, attempts]);
  }

  /** @returns how many of at most `limit` were forgotten. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('exports_purge', PURGE, [limit, keptMs])).length;
  }
}

/** What PostgreSQL compares as JSON. */
function requestJson({ deviceIds, eventTypes, from, until, columns, timeZone }: ExportRequest): string {
  return JSON.stringify({ deviceIds, eventTypes, from, until, columns, timeZone });
}

function jsonOf(devices: NewExport['devices']): string | null {
  return devices && JSON.stringify(devices);
}

import { Injectable } from '@nestjs/common';
import type { StoredFile } from '../../../platform/storage/file-store.js';
import { Database } from '../../../platform/prisma/database.js';
import {
  COVERED_EXPORT_COLUMNS,
  type CoveredExportRow,
  EXPORT_COLUMNS,
  type ExportRow,
  toCoveredExport,
  toExport,
} from '../export-rows.js';
import { type CoveredExport, type Export, type ExportFailure, FILE_KEPT_MS } from '../exports.types.js';

/** An attempt that says nothing for so long has lost its worker. */
const LEASE = `interval '10 seconds'`;

/** No attempt is being made: a job that waited in the queue replaces none that is. */
const IS_FREE = `(lease_until IS NULL OR lease_until <= now())`;

/** Found again later, should the job be lost. */
// SQL: a lock
const CLAIM_DUE = `
  UPDATE exports SET next_attempt_at = now() + interval '30 seconds'
  WHERE id IN (SELECT id FROM exports WHERE state IN ('PENDING', 'RUNNING') AND next_attempt_at <= now()
                  AND ${IS_FREE} ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id AS "exportId", attempts + 1 AS attempt`;

/** Each attempt has one winner, however often its job turns up. */
// SQL: database time
const BEGIN = `
  UPDATE exports e SET state = 'RUNNING', attempts = $2::int, rows = 0, has_file = true, next_attempt_at = now(),
    lease_until = now() + ${LEASE},
    started_at = coalesce(e.started_at, now())
  WHERE e.id = $1 AND e.state IN ('PENDING', 'RUNNING') AND e.attempts = $2::int - 1 AND e.user_id IS NOT NULL AND ${IS_FREE}
  RETURNING ${COVERED_EXPORT_COLUMNS}, e.end_xid::text AS "endXid", e.failures,
    (extract(epoch FROM now() - e.created_at) * 1000)::float8 AS "ageMs"`;

/** Of a person that is gone none is. */
const IS_THIS_ATTEMPT = `e.id = $1 AND e.state = 'RUNNING' AND e.attempts = $2::int AND e.user_id IS NOT NULL`;

// SQL: database time
const PROGRESS = `
  UPDATE exports e SET rows = $3, estimated_rows = $4, snapshot_at = $5, lease_until = now() + ${LEASE}
  WHERE ${IS_THIS_ATTEMPT} RETURNING ${EXPORT_COLUMNS}`;

// SQL: database time
const COMPLETE = `
  UPDATE exports e SET state = 'COMPLETED', rows = $3, size = $4, sha256 = $5, snapshot_at = $6, finished_at = now(),
    next_attempt_at = now(), expires_at = now() + $7 * interval '1 millisecond'
  WHERE ${IS_THIS_ATTEMPT}
  RETURNING ${EXPORT_COLUMNS}, e.waited_until > now() AS "isWaitedFor"`;

// SQL: database time
const FAIL = `
  UPDATE exports e SET state = 'FAILED', error_code = $3, finished_at = now(), next_attempt_at = now()
  WHERE ${IS_THIS_ATTEMPT} RETURNING ${EXPORT_COLUMNS}, e.waited_until > now() AS "isWaitedFor"`;

// SQL: database time
const POSTPONE = `
  UPDATE exports e SET state = 'PENDING', failures = failures + $3::int, lease_until = NULL,
    next_attempt_at = now() + $4 * interval '1 millisecond'
  WHERE ${IS_THIS_ATTEMPT}`;

// SQL: database time
const BACKLOG = `
  SELECT count(*)::int AS waiting, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "oldestS"
  FROM exports WHERE state IN ('PENDING', 'RUNNING')`;

/** One attempt to make the file of an export. */
export interface ExportAttempt {
  readonly exportId: string;
  /** From 1. */
  readonly attempt: number;
}

export interface BegunExport extends CoveredExport {
  /** The log of it ends before this position. */
  readonly endXid: string;
  /** Attempts that failed before. */
  readonly failures: number;
  /** Since it was asked for. */
  readonly ageMs: number;
}

type BegunRow = CoveredExportRow & Pick<BegunExport, 'endXid' | 'failures' | 'ageMs'>;

export interface EndedExport extends Export {
  /** The request that asked for it still waits. */
  readonly isWaitedFor: boolean;
}

export interface ExportProgress {
  readonly rows: number;
  readonly estimatedRows: number | null;
  readonly snapshotAt: Date | null;
}

/**
 * The attempts to make the files of exports. What an attempt changes is changed only while it is the latest: one that was taken for
 * dead, or whose export was cancelled, changes nothing any more.
 */
@Injectable()
export class ExportRunsRepository {
  constructor(private readonly database: Database) {}

  /** Exports whose next attempt is due. No other process is given them for half a minute. */
  claimDue(limit: number): Promise<ExportAttempt[]> {
    return this.database.query<ExportAttempt & Record<string, unknown>>('exports_claim_due', CLAIM_DUE, [limit]);
  }

  /** The export, if this attempt has not been made before. */
  async begin({ exportId, attempt }: ExportAttempt): Promise<BegunExport | null> {
    const [row] = await this.database.query<BegunRow>('exports_begin', BEGIN, [exportId, attempt]);
    return row ? { ...toCoveredExport(row), endXid: row.endXid, failures: row.failures, ageMs: row.ageMs } : null;
  }

  /** Says that the attempt goes on. Null when it is none any more. */
  async progress({ exportId, attempt }: ExportAttempt, progress: ExportProgress): Promise<Export | null> {
    const { rows, estimatedRows, snapshotAt } = progress;
    const values = [exportId, attempt, rows, estimatedRows, snapshotAt];
    const [row] = await this.database.query<ExportRow>('exports_progress', PROGRESS, values);
    return row ? toExport(row) : null;
  }

  /** Null when the attempt is none any more: its file must not be shown. */
  async complete(
    { exportId, attempt }: ExportAttempt,
    rows: number,
    { size, sha256 }: StoredFile,
    snapshotAt: Date | null,
  ): Promise<EndedExport | null> {
    const values = [exportId, attempt, rows, size, sha256, snapshotAt, FILE_KEPT_MS];
    const [row] = await this.database.query<ExportRow & { isWaitedFor: boolean | null }>(
      'exports_complete',
      COMPLETE,
      values,
    );
    return row ? toEnded(row) : null;
  }

  async fail({ exportId, attempt }: ExportAttempt, failure: ExportFailure): Promise<EndedExport | null> {
    const values = [exportId, attempt, failure];
    const [row] = await this.database.query<ExportRow & { isWaitedFor: boolean | null }>('exports_fail', FAIL, values);
    return row ? toEnded(row) : null;
  }

  /** Another attempt is made later. */
  async postpone({ exportId, attempt }: ExportAttempt, delayMs: number, hasFailed: boolean): Promise<void> {
    await this.database.query('exports_postpone', POSTPONE, [exportId, attempt, hasFailed ? 1 : 0, delayMs]);
  }

  /** Exports that have not ended, and the age of the oldest. */
  async backlog(): Promise<{ waiting: number; oldestS: number }> {
    const [row] = await this.database.query<{ waiting: number; oldestS: number }>('exports_backlog', BACKLOG);
    return row ?? { waiting: 0, oldestS: 0 };
  }
}

function toEnded({ isWaitedFor, ...row }: ExportRow & { isWaitedFor: boolean | null }): EndedExport {
  return { ...toExport(row), isWaitedFor: isWaitedFor ?? false };
}

import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { CreationPosition } from '../../../shared/cursor.js';
import { EXPORT_COLUMNS, type ExportRow, toExport } from '../export-rows.js';
import type { Export } from '../exports.types.js';

/** Whose person is still there, and which was not put aside. */
const IS_SHOWN = `e.state = 'FAILED' AND e.discarded_at IS NULL AND e.user_id IS NOT NULL`;

// SQL: a keyset
const LIST = `
  SELECT ${EXPORT_COLUMNS} FROM exports e
  WHERE ${IS_SHOWN} AND ($2::timestamptz IS NULL OR (e.finished_at, e.id) < ($2::timestamptz, $3::uuid))
  ORDER BY e.finished_at DESC, e.id DESC LIMIT $1`;

// SQL: database time
const FIND = `SELECT ${EXPORT_COLUMNS} FROM exports e WHERE e.id = $1 AND ${IS_SHOWN}`;

/** Attempts are counted on: what is left of an earlier one changes nothing, and its file is deleted by the next. */
// SQL: database time
const RUN_AGAIN = `
  UPDATE exports e SET state = 'PENDING', failures = 0, error_code = NULL, finished_at = NULL, lease_until = NULL,
    waited_until = NULL, next_attempt_at = now()
  WHERE e.id = $1 AND ${IS_SHOWN} RETURNING ${EXPORT_COLUMNS}`;

// SQL: database time
const DISCARD = `UPDATE exports e SET discarded_at = now() WHERE e.id = $1 AND ${IS_SHOWN} RETURNING e.id`;

/** Exports that failed for good. */
@Injectable()
export class FailedExportsRepository {
  constructor(private readonly database: Database) {}

  /** The latest first, one more than `limit` if there are more. */
  async list(limit: number, after: CreationPosition | null): Promise<Export[]> {
    const values = [limit + 1, ...(after ?? [null, null])];
    return (await this.database.query<ExportRow>('exports_failed', LIST, values)).map(toExport);
  }

  async find(id: string): Promise<Export | null> {
    const [row] = await this.database.query<ExportRow>('exports_find_failed', FIND, [id]);
    return row ? toExport(row) : null;
  }

  /** Lets an export have its attempts again. Null when it has not failed, or not any more. */
  async runAgain(id: string): Promise<Export | null> {
    const [row] = await this.database.query<ExportRow>('exports_run_again', RUN_AGAIN, [id]);
    return row ? toExport(row) : null;
  }

  /** Its person keeps it in their list. @returns false when there is none */
  async discard(id: string): Promise<boolean> {
    return (await this.database.query('exports_discard', DISCARD, [id])).length === 1;
  }
}

import { Injectable } from '@nestjs/common';
import { BusyError } from '../../../platform/process/semaphore.js';
import { type Snapshot, SnapshotReader, sqlText } from '../../../platform/prisma/snapshot-reader.js';
import { copyStatement } from '../data-sets/copy-statement.js';
import type { DataScope } from '../data-sets/data-set.types.js';
import type { ExportRequest } from '../exports.types.js';

// SQL: something Prisma cannot say: xid8
const LOG_IS_COMPLETE = `SELECT event_log_position(pg_snapshot_xmin(pg_current_snapshot())) >= $1::xid8 AS "isComplete"`;

/** The rows of one export, from one snapshot. */
export interface ExportData {
  readonly at: Date;
  /** As PostgreSQL plans it. */
  readonly estimatedRows: number;
  /** Lines as PostgreSQL writes them: CSV whose texts are quoted, or one JSON document each. */
  readonly chunks: AsyncGenerator<Buffer>;
}

/** A transaction that began before the export was asked for has not ended: its events may yet be part of it. */
export class LogNotCompleteError extends Error {
  constructor() {
    super('The log may still gain events before the end of the export.');
  }
}

/** Others are read at the moment, as many as may be at once. */
export class DataBusyError extends Error {
  constructor(options?: ErrorOptions) {
    super('Others are read at the moment.', options);
  }
}

/** To read the rows took too long. */
export class DataTimedOutError extends Error {
  constructor(options?: ErrorOptions) {
    super('To read the rows took too long.', options);
  }
}

/** PostgreSQL: query_canceled, transaction_timeout. */
const TIMED_OUT = ['57014', '25P04'];

/** Reads what is exported. */
@Injectable()
export class ExportDataRepository {
  constructor(private readonly snapshots: SnapshotReader) {}

  /**
   * Runs `write` on the rows, from a snapshot that is held until it has ended.
   * @throws LogNotCompleteError, DataBusyError, DataTimedOutError
   */
  async read<T>(
    request: ExportRequest,
    scope: DataScope,
    timeoutMs: number,
    write: (data: ExportData) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.snapshots.run(
        { holder: scope.userId, timeZone: request.timeZone, timeoutMs },
        async (snapshot) => {
          if (request.type === 'device_logs') {
            await assertComplete(snapshot, scope.endXid);
          }
          const { query, options } = copyStatement(request, scope, sqlText);
          const estimatedRows = await estimate(snapshot, query);
          return write({ at: snapshot.at, estimatedRows, chunks: snapshot.copy(query, options) });
        },
      );
    } catch (error) {
      if (error instanceof BusyError) {
        throw new DataBusyError({ cause: error });
      }
      if (error instanceof Error && 'code' in error && TIMED_OUT.includes(String(error.code))) {
        throw new DataTimedOutError({ cause: error });
      }
      throw error;
    }
  }
}

async function assertComplete(snapshot: Snapshot, endXid: string): Promise<void> {
  const [row] = await snapshot.query<{ isComplete: boolean }>(LOG_IS_COMPLETE, [endXid]);
  if (!row?.isComplete) {
    throw new LogNotCompleteError();
  }
}

async function estimate(snapshot: Snapshot, query: string): Promise<number> {
  // SQL: something Prisma cannot say: EXPLAIN
  const [row] = await snapshot.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    `EXPLAIN (FORMAT JSON) ${query}`,
  );
  return row?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0;
}

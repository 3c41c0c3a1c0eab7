import type { CoveredDevice, CoveredExport, Export, ExportFailure, ExportRequest } from './exports.types.js';

/** An {@link Export} in SQL, of a row `e`. Its devices may be thousands, and are read where they are needed. */
export const EXPORT_COLUMNS = `e.id, e.user_id AS "userId", e.type, e.format, e.request,
  CASE WHEN e.state = 'COMPLETED' AND e.expires_at <= now() THEN 'EXPIRED' ELSE e.state END AS state, e.rows::text,
  e.estimated_rows::text AS "estimatedRows", e.snapshot_at AS "snapshotAt", e.size::text, e.sha256, e.error_code AS failure,
  e.attempts, e.schedule_id AS "scheduleId", e.created_at AS "createdAt", e.finished_at AS "finishedAt",
  e.expires_at AS "expiresAt"`;

/** A {@link CoveredExport} in SQL, of a row `e`. */
export const COVERED_EXPORT_COLUMNS = `${EXPORT_COLUMNS}, e.devices`;

export interface ExportRow extends Pick<
  Export,
  | 'id'
  | 'type'
  | 'format'
  | 'state'
  | 'snapshotAt'
  | 'sha256'
  | 'attempts'
  | 'scheduleId'
  | 'createdAt'
  | 'finishedAt'
  | 'expiresAt'
> {
  [column: string]: unknown;
  readonly userId: string | null;
  readonly request: Omit<ExportRequest, 'type' | 'format'>;
  readonly rows: string;
  readonly estimatedRows: string | null;
  readonly size: string | null;
  readonly failure: string | null;
}

export interface CoveredExportRow extends ExportRow {
  readonly devices: CoveredDevice[] | null;
}

export function toExport({ request, userId, rows, estimatedRows, size, failure, ...row }: ExportRow): Export {
  return {
    ...request,
    ...row,
    userId: userId ?? '',
    rows: Number(rows),
    estimatedRows: estimatedRows === null ? null : Number(estimatedRows),
    size: size === null ? null : Number(size),
    failure: failure as ExportFailure | null,
  };
}

export function toCoveredExport({ devices, ...row }: CoveredExportRow): CoveredExport {
  return { ...toExport(row), devices };
}

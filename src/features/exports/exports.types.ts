export const EXPORT_TYPES = ['device_logs', 'usage_report', 'device_report', 'users', 'audit', 'my_data'] as const;
export type ExportType = (typeof EXPORT_TYPES)[number];

export const EXPORT_FILE_FORMATS = ['csv', 'json', 'ndjson'] as const;
export type ExportFileFormat = (typeof EXPORT_FILE_FORMATS)[number];

/** `EXPIRED`: its file is deleted, the day after it was made. */
export const EXPORT_STATES = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'] as const;
export type ExportState = (typeof EXPORT_STATES)[number];

/** Why an export failed. */
export const EXPORT_FAILURES = [
  'storage_full',
  'storage_unavailable',
  'too_large',
  'not_permitted',
  'timed_out',
  'internal',
] as const;
export type ExportFailure = (typeof EXPORT_FAILURES)[number];

/** For how long a file is kept after it was made. */
export const FILE_KEPT_MS = 24 * 3_600_000;
/** A request that waits for the end, and says nothing for so long, has lost its process. */
export const WAIT_LEASE_MS = 5_000;
/** Devices of one export: all that a person has, mostly. */
export const MAX_EXPORT_DEVICES = 5_000;

/** What is to be in the file. */
export interface ExportRequest {
  readonly type: ExportType;
  readonly format: ExportFileFormat;
  /** Left out: all that the person may see. */
  readonly deviceIds?: readonly string[];
  readonly eventTypes?: readonly string[];
  /** RFC 3339, inclusive. */
  readonly from?: string;
  /** RFC 3339, exclusive. */
  readonly until?: string;
  /** In this order; left out: all. */
  readonly columns?: readonly string[];
  /** IANA name: in it times are written, and days begin. */
  readonly timeZone: string;
}

/** A device of an export, as it was when that was asked for. */
export interface CoveredDevice {
  readonly id: string;
  readonly name: string;
  /** RFC 3339. What happened before belongs to an earlier owner; null: there was none. */
  readonly from: string | null;
}

/** An export as its owner sees it. */
export interface Export extends ExportRequest {
  readonly id: string;
  readonly userId: string;
  readonly state: ExportState;
  /** Written so far. */
  readonly rows: number;
  /** By the planner of the database; null before it begins. */
  readonly estimatedRows: number | null;
  /** The moment that the data shows; null for logs, which end where the export was asked for. */
  readonly snapshotAt: Date | null;
  readonly size: number | null;
  readonly sha256: string | null;
  readonly failure: ExportFailure | null;
  readonly attempts: number;
  readonly scheduleId: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  readonly expiresAt: Date | null;
}

/** An export with what it is about. */
export interface CoveredExport extends Export {
  /** Null where it is about none. */
  readonly devices: readonly CoveredDevice[] | null;
}

/** Where the files of its attempts are. */
export function folderOf({ id }: Pick<Export, 'id'>): string {
  return `exports/${id}`;
}

/** Where its file is: each attempt writes one of its own. */
export function fileKeyOf(one: Pick<Export, 'id' | 'format'>, attempt: number): string {
  return `${folderOf(one)}/${String(attempt)}.${one.format}`;
}

/** Whether nothing more becomes of it by itself. */
export function hasEnded(state: ExportState): boolean {
  return state !== 'PENDING' && state !== 'RUNNING';
}

/** Share of the rows that are written, from 0 to 100. Only a completed export has all. */
export function percentOf({ state, rows, estimatedRows }: Pick<Export, 'state' | 'rows' | 'estimatedRows'>): number {
  if (state === 'COMPLETED' || state === 'EXPIRED') {
    return 100;
  }
  return estimatedRows ? Math.min(99, Math.floor((rows / estimatedRows) * 100)) : 0;
}

/** About devices, which the person must be able to see. */
export function isAboutDevices(type: ExportType): boolean {
  return type === 'device_logs' || type === 'usage_report' || type === 'device_report';
}

/** About all people, for administrators. */
export function isForAdministrators(type: ExportType): boolean {
  return type === 'users' || type === 'audit';
}

export const MEDIA_TYPES: Readonly<Record<ExportFileFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

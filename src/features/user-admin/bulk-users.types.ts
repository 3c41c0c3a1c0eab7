import type { FieldError } from '../../shared/domain-error.js';

/** Rows in one request. */
export const MAX_BULK_ROWS = 1_000;

/** Every row or none; or those that can be done. */
export const BULK_MODES = ['all', 'per_row'] as const;
export type BulkMode = (typeof BULK_MODES)[number];

/** What became of one row. */
export interface RowResult {
  /** Of the account; null where the row was refused. */
  readonly id: string | null;
  /** Why it was refused: the `code` that it would have had as a request of its own; null where it was done. */
  readonly code: string | null;
  /** What is wrong with its members, with pointers into the row. */
  readonly errors: readonly FieldError[];
}

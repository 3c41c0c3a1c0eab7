import { Injectable } from '@nestjs/common';
import type { Principal } from '../../platform/auth/principal.js';
import type { FieldError } from '../../shared/domain-error.js';
import { BulkUsersService } from './bulk-users.service.js';
import { type BulkMode, MAX_BULK_ROWS, type RowResult } from './bulk-users.types.js';
import { type CheckedRow, checkRow } from './checked-row.js';
import { readImport } from './domain/import-file.js';
import { ImportRefusedError, UnreadableImportError } from './user-admin.errors.js';

/** The member that a refusal is about. */
const POINTERS: Readonly<Record<string, string>> = { email_taken: '/email', username_taken: '/username' };

/** What became of one line. */
export interface ImportedLine {
  readonly line: number;
  readonly id: string | null;
  readonly errors: readonly FieldError[];
}

export interface ImportResult {
  readonly dryRun: boolean;
  readonly lines: readonly ImportedLine[];
}

interface CheckedLine extends CheckedRow {
  readonly line: number;
}

/** Rolls a dry run back, after everything was tried. */
class DryRunEnded extends Error {
  constructor(readonly result: ImportResult) {
    super('The dry run is over.');
  }
}

/** Makes accounts from a file: CSV with a header, or JSON. */
@Injectable()
export class UsersImportService {
  constructor(private readonly bulk: BulkUsersService) {}

  /**
   * @param file CSV as text, or JSON as parsed.
   * @throws UnreadableImportError; ImportRefusedError in mode `all`, when a line cannot be imported
   */
  async run(
    file: unknown,
    { dryRun, mode, admin }: { dryRun: boolean; mode: BulkMode; admin: Principal },
  ): Promise<ImportResult> {
    const lines = readImport(file);
    if ('fault' in lines) {
      throw new UnreadableImportError(lines.fault, lines.line);
    }
    if (lines.records.length > MAX_BULK_ROWS) {
      throw new UnreadableImportError(`at most ${String(MAX_BULK_ROWS)} accounts at once`, 0);
    }
    const checked = await Promise.all(
      lines.records.map(async ({ line, values, fault }) => ({
        line,
        ...(fault === undefined ? await checkRow(values) : { account: null, errors: [{ detail: fault, pointer: '' }] }),
      })),
    );
    const resultOf = (results: readonly RowResult[]): ImportResult => ({ dryRun, lines: linesOf(checked, results) });
    const inspect = (results: readonly RowResult[]): void => {
      const result = resultOf(results);
      refuseAll(result.lines, mode);
      if (dryRun) {
        throw new DryRunEnded(result);
      }
    };
    try {
      return resultOf(await this.bulk.createChecked(checked, { mode: 'per_row', admin, inspect }));
    } catch (error) {
      if (error instanceof DryRunEnded) {
        return error.result;
      }
      throw error;
    }
  }
}

function linesOf(checked: readonly CheckedLine[], results: readonly RowResult[]): ImportedLine[] {
  return results.map(({ id, code, errors }, row) => ({
    line: checked[row]?.line ?? 0,
    id,
    errors: code !== null && errors.length === 0 ? [{ detail: code, pointer: POINTERS[code] ?? '' }] : errors,
  }));
}

function refuseAll(lines: readonly ImportedLine[], mode: BulkMode): void {
  const errors = lines.flatMap(({ line, errors }) =>
    errors.map(({ detail, pointer }) => ({ detail, pointer: `/${String(line)}${pointer}` })),
  );
  if (mode === 'all' && errors.length > 0) {
    throw new ImportRefusedError(errors);
  }
}

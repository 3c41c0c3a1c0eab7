import { Injectable } from '@nestjs/common';
import type { AuditAction } from '../../contracts/audit.js';
import { AuditReader } from '../../platform/audit/audit-reader.js';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { Idempotency } from '../../platform/idempotency/idempotency.js';
import type { FieldError } from '../../shared/domain-error.js';
import { newId } from '../../shared/ids.js';
import type { RowOutcome, RowRefusal } from '../users/users.types.js';
import { BatchRefusedError } from './user-admin.errors.js';

/** Rows in one request. */
export const MAX_BATCH = 1_000;

/** Every row or none; or those that can be done. */
export const BATCH_MODES = ['all', 'per_row'] as const;
export type BatchMode = (typeof BATCH_MODES)[number];

/** What became of one row. */
export interface RowResult {
  readonly id: string | null;
  /** Why it was refused; null where it was done. */
  readonly code: RowRefusal | null;
  /** What is wrong with its members, with pointers into the row. */
  readonly errors: readonly FieldError[];
}

/** One request that does something to many accounts: what it did is kept in the audit trail, and answers its repeat. */
@Injectable()
export class BulkOutcomes {
  constructor(
    private readonly idempotency: Idempotency,
    private readonly audit: AuditWriter,
    private readonly log: AuditReader,
  ) {}

  /**
   * Inside of the transaction. Beside the entry of the batch, each account gets its own.
   * @param member of the request that holds the rows, for the error.
   * @throws BatchRefusedError in mode `all`, when a row cannot be done
   */
  async once(
    { mode, member, rowAction }: { mode: BatchMode; member: string; rowAction: AuditAction },
    work: () => Promise<readonly RowOutcome[]>,
  ): Promise<readonly RowResult[]> {
    let results: readonly RowResult[] | undefined;
    const { id } = await this.idempotency.once(async () => {
      const outcomes = await work();
      results = outcomes.map(toResult);
      if (mode === 'all' && results.some(({ code }) => code !== null)) {
        throw new BatchRefusedError(member, results);
      }
      return this.record(outcomes, results, rowAction);
    });
    return results ?? this.resultsOf(id);
  }

  private async record(
    outcomes: readonly RowOutcome[],
    results: readonly RowResult[],
    rowAction: AuditAction,
  ): Promise<string> {
    for (const outcome of outcomes) {
      if ('account' in outcome) {
        const { id, email, role, status } = outcome.account;
        await this.audit.record({ action: rowAction, entity: { type: 'user', id }, after: { email, role, status } });
      }
    }
    const batchId = newId();
    await this.audit.record({ entity: { type: 'batch', id: batchId }, after: { results } });
    return batchId;
  }

  private async resultsOf(id: string): Promise<readonly RowResult[]> {
    const entry = await this.log.findLast({ type: 'batch', id });
    return (entry?.after?.results ?? []) as readonly RowResult[];
  }
}

function toResult(outcome: RowOutcome): RowResult {
  return 'account' in outcome
    ? { id: outcome.account.id, code: null, errors: [] }
    : { id: null, code: outcome.refusal, errors: outcome.errors ?? [] };
}

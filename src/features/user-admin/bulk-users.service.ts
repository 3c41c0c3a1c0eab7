import { Injectable } from '@nestjs/common';
import type { AuditAction } from '../../contracts/audit.js';
import { AuditReader } from '../../platform/audit/audit-reader.js';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import type { Principal } from '../../platform/auth/principal.js';
import { InvalidRequestError } from '../../platform/http/validation/validation.js';
import { IdempotencyService } from '../../platform/idempotency/idempotency.service.js';
import { DomainError } from '../../shared/domain-error.js';
import { newId } from '../../shared/ids.js';
import { AccessRevocationService } from '../auth/sessions/access-revocation.service.js';
import { InvalidAccountError } from '../users/users.errors.js';
import { UsersService } from '../users/users.service.js';
import type { Account } from '../users/users.types.js';
import { AdminAuthorityService } from './admin-authority.service.js';
import type { BulkMode, RowResult } from './bulk-users.types.js';
import { type CheckedRow, checkRow } from './checked-row.js';
import { PasswordResetService } from './password-reset.service.js';
import { BatchRefusedError } from './user-admin.errors.js';

/** The account of a row, or why nothing was done for it. */
type RowOutcome = Account | Omit<RowResult, 'id'>;

/** What a bulk request is about: the member that holds its rows, and what is recorded of each account. */
interface BulkChange {
  readonly admin: Principal;
  /** Of accounts that exist. */
  readonly ids?: readonly string[];
  readonly mode: BulkMode;
  readonly member: string;
  readonly rowAction: AuditAction;
  /** What a repeat must ask for, too. */
  readonly asked?: object;
  /** May still refuse what was made. */
  readonly inspect?: (results: readonly RowResult[]) => void;
}

/**
 * What administrators do to many accounts at once. The results are kept in the audit trail, and answer a repeat. All of it
 * throws what AdminAuthorityService throws.
 */
@Injectable()
export class BulkUsersService {
  constructor(
    private readonly users: UsersService,
    private readonly access: AccessRevocationService,
    private readonly passwords: PasswordResetService,
    private readonly idempotency: IdempotencyService,
    private readonly auditLog: AuditReader,
    private readonly audit: AuditWriter,
    private readonly authority: AdminAuthorityService,
  ) {}

  /**
   * Makes accounts and mails each owner a link to choose a password.
   * @throws BatchRefusedError; InvalidRequestError in mode `all`, when a row does not have the shape of an account
   */
  async create(rows: readonly unknown[], mode: BulkMode, admin: Principal): Promise<readonly RowResult[]> {
    const checked = await Promise.all(rows.map(checkRow));
    const faults = checked.flatMap(({ errors }, row) =>
      errors.map(({ detail, pointer }) => ({ detail, pointer: `/users/${String(row)}${pointer}` })),
    );
    if (mode === 'all' && faults.length > 0) {
      throw new InvalidRequestError(faults);
    }
    return this.createChecked(checked, { mode, admin });
  }

  /**
   * As {@link create}, of checked rows; those that are no accounts are refused.
   * @throws BatchRefusedError, and what `inspect` throws; then none of it stands
   */
  createChecked(
    rows: readonly CheckedRow[],
    how: Pick<BulkChange, 'admin' | 'mode' | 'inspect'>,
  ): Promise<readonly RowResult[]> {
    const asked = { mode: how.mode, rows: rows.map(({ account, errors }) => account ?? errors) };
    return this.once({ ...how, member: 'users', rowAction: 'user_created', asked }, async () => {
      const accounts = rows.flatMap(({ account }) => (account ? [account] : []));
      const outcomes = (await this.users.inviteMany(accounts)).map(toOutcome);
      await eachAccount(outcomes, (account) => this.passwords.invite(account));
      const remaining = outcomes.values();
      return rows.map(({ account, errors }) => (account && remaining.next().value) ?? { code: 'invalid_row', errors });
    });
  }

  /** Soft-deletes accounts and ends their sessions. @throws BatchRefusedError */
  delete(ids: readonly string[], mode: BulkMode, admin: Principal): Promise<readonly RowResult[]> {
    return this.once({ admin, ids, mode, member: 'ids', rowAction: 'user_deleted' }, async () => {
      const outcomes = (await this.users.deleteMany(ids)).map(toOutcome);
      await eachAccount(outcomes, ({ id }) => this.access.revoke(id, { reason: 'account_deleted' }));
      return outcomes;
    });
  }

  /** @throws BatchRefusedError in mode `all`, when a row cannot be done */
  private once(change: BulkChange, work: () => Promise<readonly RowOutcome[]>): Promise<readonly RowResult[]> {
    const { admin, ids, inspect } = change;
    const done = async (): Promise<readonly RowResult[]> => {
      let results: readonly RowResult[] | undefined;
      const { id } = await this.idempotency.once(async () => {
        const outcomes = await work();
        results = outcomes.map(toResult);
        if (change.mode === 'all' && results.some(({ code }) => code !== null)) {
          throw new BatchRefusedError(change.member, results);
        }
        return this.record(change.rowAction, outcomes, results);
      }, change.asked);
      return results ?? this.resultsOf(id);
    };
    return ids ? this.authority.exercise(admin, ids, done) : this.authority.exerciseAtEnd(admin, done, inspect);
  }

  /** Each account gets an entry of its own, beside the one of the batch. @returns the id of the batch. */
  private async record(
    rowAction: AuditAction,
    outcomes: readonly RowOutcome[],
    results: readonly RowResult[],
  ): Promise<string> {
    for (const outcome of outcomes) {
      if ('id' in outcome) {
        const { id, email, role, status } = outcome;
        await this.audit.record({ action: rowAction, entity: { type: 'user', id }, after: { email, role, status } });
      }
    }
    const batchId = newId();
    await this.audit.record({ entity: { type: 'batch', id: batchId }, after: { results } });
    return batchId;
  }

  private async resultsOf(batchId: string): Promise<readonly RowResult[]> {
    const entry = await this.auditLog.findLast({ type: 'batch', id: batchId });
    return (entry?.after?.results ?? []) as readonly RowResult[];
  }
}

function toOutcome(outcome: Account | DomainError): RowOutcome {
  if (!(outcome instanceof DomainError)) {
    return outcome;
  }
  return outcome instanceof InvalidAccountError
    ? { code: 'invalid_row', errors: outcome.errors }
    : { code: outcome.code, errors: [] };
}

function toResult(outcome: RowOutcome): RowResult {
  return 'id' in outcome ? { id: outcome.id, code: null, errors: [] } : { id: null, ...outcome };
}

/** For all at once: the statements of one connection travel together, in their order. */
async function eachAccount(
  outcomes: readonly RowOutcome[],
  work: (account: Account) => Promise<unknown>,
): Promise<void> {
  await Promise.all(outcomes.flatMap((outcome) => ('id' in outcome ? [work(outcome)] : [])));
}

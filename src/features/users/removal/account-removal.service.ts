import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { type Gauge, Metrics } from '../../../platform/metrics/metrics.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import type { CountPurged, PurgeBatch } from '../../../platform/scheduling/purge-registry.js';
import { AccountStandingService } from '../account-standing.service.js';
import { DeletedAccountsRepository, type DeletedAccount } from './deleted-accounts.repository.js';

/** Each is a transaction of its own; more in one batch would only make the clock looked at less often. */
const MAX_BATCH = 50;
const LAST_OWNER = 'last_owner';
const REMOVED = 'removed';
/** Restored meanwhile, or in the hands of another process. */
const SKIPPED = 'skipped';

/** What a feature above has of an account, and does when it is removed for good. */
export interface AccountRemovalHandler {
  /** The name of what keeps an account: a label of the metric. */
  readonly reason: string;
  /** Whether others need what belongs to this account. Asked inside the transaction that would remove it. */
  readonly isNeeded: (userId: string) => Promise<boolean>;
  /** Removes what belongs to this account, in that transaction. */
  readonly remove: (userId: string) => Promise<void>;
}

/**
 * Removes accounts for good that were deleted long ago, each in a transaction of its own: one that is restored at that moment
 * is either not found deleted any more, or the restoration finds no account. One that others need stays, and is counted.
 */
@Injectable()
export class AccountRemovalService {
  readonly #handlers: AccountRemovalHandler[] = [];
  readonly #kept: Gauge<'reason'>;
  /** How far this walk has come, so that those who stay do not hold up those after them. */
  #after: DeletedAccount | null = null;
  #found = new Map<string, number>();
  #failure: Error | undefined;

  constructor(
    private readonly repository: DeletedAccountsRepository,
    private readonly standing: AccountStandingService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(AccountRemovalService.name);
    this.#kept = metrics.gauge(
      'mortise_deleted_accounts_kept',
      'Accounts that were deleted long ago and stay, because others need what is theirs.',
      ['reason'],
    );
  }

  /** Registers what belongs to accounts. Call it in `onModuleInit`. */
  onRemoval(handler: AccountRemovalHandler): void {
    this.#handlers.push(handler);
  }

  /**
   * Goes on with the walk over accounts that were deleted `keptMs` ago or earlier.
   * @throws the last error, at the end of a walk in which some could not be removed; the others are.
   */
  async purge(limit: number, keptMs: number, count: CountPurged): Promise<PurgeBatch> {
    const size = Math.min(limit, MAX_BATCH);
    const accounts = await this.repository.listOverdue(keptMs, this.#after, size);
    let deleted = 0;
    for (const account of accounts) {
      this.#after = account;
      try {
        const outcome = await this.removeUnlessNeeded(account.id, keptMs, count);
        deleted += outcome === REMOVED ? 1 : 0;
        this.#found.set(outcome, (this.#found.get(outcome) ?? 0) + 1);
      } catch (error) {
        this.logger.error({ err: error, userId: account.id }, 'A deleted account could not be removed');
        this.#failure = error instanceof Error ? error : new Error('No error was thrown, but something else.');
      }
    }
    const more = accounts.length === size;
    const failure = this.#failure;
    if (!more) {
      this.endWalk();
      if (failure !== undefined) {
        throw failure;
      }
    }
    return { deleted, more };
  }

  /** @returns what became of it: one of the two above, or what keeps it. */
  private removeUnlessNeeded(userId: string, keptMs: number, count: CountPurged): Promise<string> {
    return this.transactions.run(async () => {
      const account = await this.repository.lockOverdue(userId, keptMs);
      if (!account) {
        return SKIPPED;
      }
      const reason = await this.reasonToKeep(userId);
      if (reason !== null) {
        return reason;
      }
      for (const { remove } of this.#handlers) {
        await remove(userId);
      }
      await this.repository.remove(userId);
      await this.audit.record({
        action: 'account_removed',
        entity: { type: 'user', id: userId },
        before: { deletedAt: account.deletedAt },
      });
      await count(1);
      return REMOVED;
    });
  }

  private async reasonToKeep(userId: string): Promise<string | null> {
    if ((await this.standing.refusalsOf([userId])).size > 0) {
      return LAST_OWNER;
    }
    for (const { reason, isNeeded } of this.#handlers) {
      if (await isNeeded(userId)) {
        return reason;
      }
    }
    return null;
  }

  /** Shows what it found; the next one begins at the oldest. */
  private endWalk(): void {
    for (const reason of [LAST_OWNER, ...this.#handlers.map((handler) => handler.reason)]) {
      this.#kept.set({ reason }, this.#found.get(reason) ?? 0);
    }
    this.#after = null;
    this.#found = new Map();
    this.#failure = undefined;
  }
}

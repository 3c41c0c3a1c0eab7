import { Injectable } from '@nestjs/common';
import { within } from '../../shared/deadline.js';
import { Database } from './database.js';
import {
  currentTransaction,
  type NamedStatement,
  runInTransaction,
  TransactionContext,
} from './transaction-context.js';
import { callListener } from '../process/faults.js';

const TIMEOUT_MS = 10_000;
/** A connection that does not answer ROLLBACK in this time is closed. */
const ROLLBACK_WITHIN_MS = 2_000;

/** What is done around the COMMIT of a transaction that changed tags. */
export interface TagChange {
  /** Sent with COMMIT. */
  readonly last?: NamedStatement;
  /** Called when the transaction has ended, however it did, and before its caller learns of it; not where that is not known. */
  readonly settle: (tags: ReadonlySet<string>) => Promise<void>;
}

/** Called with the tags that a transaction changed, before it commits. It must not fail, and not take long. */
export type TagChangeListener = (tags: ReadonlySet<string>) => Promise<TagChange>;

/**
 * Transactions for services. Keep them short and free of network calls, because any open writer delays the event feed.
 */
@Injectable()
export class Transactions {
  readonly #checks: (() => void)[] = [];
  #listener: TagChangeListener | undefined;

  constructor(private readonly database: Database) {}

  /**
   * Runs `work` in one transaction; joins the one that is open. What it throws rolls everything back.
   * @throws what a check of {@link beforeCommit} throws
   */
  run<T>(work: () => Promise<T>): Promise<T> {
    return currentTransaction() ? work() : this.independently(() => this.runWithChecks(work));
  }

  /**
   * Adds a check of every transaction that `run` begins, for when this process starts: it is called when the work is done,
   * and what it throws rolls everything back.
   */
  beforeCommit(check: () => void): void {
    this.#checks.push(check);
  }

  /** Announces every transaction that changes what cached answers show, for when this process starts. */
  onTagChange(listener: TagChangeListener): void {
    this.#listener = listener;
  }

  /** Runs `work` in a transaction of its own: it stands even when the caller's fails, and no check looks at it. */
  independently<T>(work: () => Promise<T>): Promise<T> {
    return this.database.withinQuota(() => this.begin(work));
  }

  /** Whether the caller is inside a transaction: a batcher must not take its work out of it. */
  isOpen(): boolean {
    return currentTransaction() !== undefined;
  }

  /** Calls `action` once the surrounding transaction has committed, or at once when there is none. What stands is not undone by it: an error is reported, and the caller does not learn of it. */
  afterCommit(action: () => void): void {
    const context = currentTransaction();
    if (context) {
      context.afterCommit.push(action);
    } else {
      callListener(action);
    }
  }

  private async begin<T>(work: () => Promise<T>): Promise<T> {
    const connection = await outsideTransaction(() => this.database.pool.connect());
    const context = new TransactionContext(connection, this.#listener !== undefined);
    let intact = true;
    let result: T;
    const change: { announced?: TagChange } = {};
    try {
      result = await within(
        TIMEOUT_MS,
        runInTransaction(context, () => this.runAndCommit(context, work, change)),
      );
    } catch (error) {
      intact = await within(ROLLBACK_WITHIN_MS, context.rollback()).then(
        () => true,
        () => false,
      );
      throw error;
    } finally {
      if (!intact) {
        // Its place in the pool is free at once, instead of when the last of its statements has timed out.
        connection.connection.stream.destroy();
      }
      context.leave();
      connection.release(!intact);
      if (intact) {
        await this.settle(context.changedTags, change.announced);
      }
    }
    // Outside of the transaction, because it is over for what these start.
    runInTransaction(undefined, () => {
      context.afterCommit.forEach(callListener);
    });
    return result;
  }

  private async runAndCommit<T>(
    context: TransactionContext,
    work: () => Promise<T>,
    change: { announced?: TagChange },
  ): Promise<T> {
    const result = await work();
    if (this.#listener && context.changedTags.size > 0) {
      const announced = await this.#listener(context.changedTags);
      change.announced = announced;
      if (announced.last) {
        context.addLast(announced.last);
      }
    }
    await context.commit();
    return result;
  }

  /** Tags that no answered statement had named before COMMIT was sent are announced late: see `Database.execute`. */
  private async settle(tags: ReadonlySet<string>, announced: TagChange | undefined): Promise<void> {
    const change = announced ?? (tags.size > 0 ? await this.#listener?.(tags) : undefined);
    await change?.settle(tags);
  }

  private async runWithChecks<T>(work: () => Promise<T>): Promise<T> {
    const result = await work();
    this.#checks.forEach((check) => {
      check();
    });
    return result;
  }
}

/** Runs `work` outside of any transaction: for batchers, whose caller's transaction is not theirs. */
export function outsideTransaction<T>(work: () => T): T {
  return runInTransaction(undefined, work);
}

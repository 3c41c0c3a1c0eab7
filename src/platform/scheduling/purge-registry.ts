import { Injectable, type Provider, type Type } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import type { RetentionName } from '../../config/retention.js';
import type { PurgeName } from '../../contracts/jobs.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { Transactions } from '../prisma/transactions.js';
import { PurgeRunsRepository } from './purge-runs.repository.js';

/** Rows deleted by one statement, so that no lock is held for long. */
const BATCH = 1_000;
/** A rule that is behind goes on in its next run: until then it is the turn of others. */
const SLICE_MS = 5_000;
/** How often a rule runs, unless it says otherwise. */
const EVERY_MS = 60_000;
/** It tells who did what years ago, and what was purged: no rule takes it. */
const NEVER_PURGED = ['audit_entries'];

/** What one batch did. */
export interface PurgeBatch {
  readonly deleted: number;
  /** Whether another batch would find something to do. */
  readonly more: boolean;
}

/** Counts rows as deleted by a rule, in the transaction that deletes them. */
export type CountPurged = (rows: number) => Promise<void>;

/** What is deleted after which time. */
export interface RetainedTables {
  /** The tables whose rows it ends. */
  readonly tables: readonly string[];
  /** How long they are kept: by a setting, or that many milliseconds. */
  readonly keptFor: RetentionName | number;
}

/** Deletes what is past its time. */
export interface PurgeRule extends RetainedTables {
  readonly everyMs: number;
  /** A batch is one transaction, in which the engine counts it; true: the rule has its own transactions, and counts in each. */
  readonly countsItself?: boolean;
  /**
   * Deletes at most `limit` rows that are `keptMs` past their time. @returns how many: fewer than `limit` when none is left;
   * or more exactly, a batch.
   */
  readonly purge: (limit: number, keptMs: number, count: CountPurged) => Promise<number | PurgeBatch>;
}

/** What is kept how long, by the name under which it is counted when it is deleted. */
export interface NamedRetention extends RetainedTables {
  readonly name: PurgeName;
  readonly keptMs: number;
}

/**
 * Every purge rule, by the name of its job. `PurgeJob` runs them in the worker role. What a batch deletes is counted in its own
 * transaction, so that a process which ends in between neither loses nor doubles a row.
 */
@Injectable()
export class PurgeRegistry {
  readonly #rules = new Map<PurgeName, PurgeRule>();
  readonly #retentions = new Map<PurgeName, RetainedTables>();
  readonly #deleted: Counter<'rule'>;

  constructor(
    private readonly config: AppConfig,
    private readonly transactions: Transactions,
    private readonly runs: PurgeRunsRepository,
    metrics: Metrics,
  ) {
    this.#deleted = metrics.counter('mortise_purged_rows_total', 'Rows deleted past their time, by purge rule.', [
      'rule',
    ]);
  }

  /** @throws when a rule of this name is registered already, or when it would purge the audit trail. */
  register(name: PurgeName, rule: PurgeRule): void {
    this.declare(name, rule);
    this.#rules.set(name, rule);
  }

  /**
   * Says what is deleted in another way than by the batches of a rule, and counted under this name all the same.
   * @throws as {@link register} does
   */
  declare(name: PurgeName, retention: RetainedTables): void {
    if (this.#retentions.has(name)) {
      throw new Error(`The purge rule "${name}" is registered twice.`);
    }
    const refused = retention.tables.filter((table) => NEVER_PURGED.includes(table));
    if (refused.length > 0) {
      throw new Error(`The purge rule "${name}" may not end rows of ${refused.join(', ')}.`);
    }
    this.#retentions.set(name, retention);
  }

  all(): readonly (readonly [name: PurgeName, rule: PurgeRule])[] {
    return [...this.#rules];
  }

  /** Of every rule, and of what is only declared. */
  retentions(): readonly NamedRetention[] {
    return [...this.#retentions].map(([name, { tables, keptFor }]) => ({
      name,
      tables,
      keptFor,
      keptMs: this.keptMs({ keptFor }),
    }));
  }

  /** Shows rows in the metrics that a committed transaction deleted and counted. */
  addDeleted(name: PurgeName, rows: number): void {
    this.#deleted.inc({ rule: name }, rows);
  }

  /** Notes that what is only declared was looked after. */
  async recordEnd(name: PurgeName, end: 'caught_up' | 'more' | 'failed'): Promise<void> {
    await (end === 'failed' ? this.runs.recordFailure(name) : this.runs.recordEnd(name, end === 'caught_up'));
  }

  /**
   * Deletes what a rule finds, batch after batch, for five seconds at most; a batch that was begun is finished.
   * @returns how many rows, and whether there are more. @throws for an unknown rule.
   */
  async run(name: PurgeName): Promise<PurgeBatch> {
    const rule = this.#rules.get(name);
    if (!rule) {
      throw new Error(`No purge rule "${name}".`);
    }
    this.addDeleted(name, 0);
    const until = performance.now() + SLICE_MS;
    let deleted = 0;
    for (;;) {
      const batch = await this.runBatch(name, rule);
      deleted += batch.deleted;
      if (!batch.more || performance.now() >= until) {
        return { deleted, more: batch.more };
      }
    }
  }

  private async runBatch(name: PurgeName, rule: PurgeRule): Promise<PurgeBatch> {
    const keptMs = this.keptMs(rule);
    let counted = 0;
    const count = async (rows: number): Promise<void> => {
      await this.runs.count(name, rows, keptMs);
      this.transactions.afterCommit(() => {
        counted += rows;
        this.addDeleted(name, rows);
      });
    };
    const purge = async (): Promise<PurgeBatch> => {
      const outcome = await rule.purge(BATCH, keptMs, count);
      return typeof outcome === 'number' ? { deleted: outcome, more: outcome >= BATCH } : outcome;
    };
    const purgeAndCount = async (): Promise<PurgeBatch> => {
      const batch = await purge();
      if (batch.deleted > 0) {
        await count(batch.deleted);
      }
      return batch;
    };
    const batch = await (rule.countsItself === true ? purge() : this.transactions.run(purgeAndCount));
    if (counted !== batch.deleted) {
      throw new Error(
        `The purge rule "${name}" deleted ${String(batch.deleted)} rows, and counted ${String(counted)}.`,
      );
    }
    return batch;
  }

  private keptMs({ keptFor }: Pick<RetainedTables, 'keptFor'>): number {
    return typeof keptFor === 'number' ? keptFor : this.config.retention[keptFor];
  }
}

/** How a feature declares a rule: `from` is what it deletes with, such as a repository. */
export interface PurgeDeclaration<D extends readonly unknown[]> extends RetainedTables {
  readonly name: PurgeName;
  /** A minute unless said otherwise. */
  readonly everyMs?: number;
  readonly countsItself?: boolean;
  readonly from: { readonly [I in keyof D]: Type<D[I]> };
  /** See {@link PurgeRule.purge}. */
  readonly purge: (
    batch: { readonly limit: number; readonly keptMs: number; readonly count: CountPurged },
    ...from: D
  ) => ReturnType<PurgeRule['purge']>;
}

/** A provider for the module of a feature: it registers the rule when the application is built. */
export function purgeRule<D extends readonly unknown[]>(declaration: PurgeDeclaration<D>): Provider {
  const { name, everyMs = EVERY_MS, countsItself = false, tables, keptFor, from, purge } = declaration;
  return {
    provide: Symbol(name),
    inject: [PurgeRegistry, ...from],
    useFactory: (registry: PurgeRegistry, ...injected: D): string => {
      const rule = {
        everyMs,
        countsItself,
        tables,
        keptFor,
        purge: (limit: number, keptMs: number, count: CountPurged) => purge({ limit, keptMs, count }, ...injected),
      };
      registry.register(name, rule);
      return name;
    },
  };
}

import { Injectable, type Provider, type Type } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import type { RetentionName } from '../../config/retention.js';
import type { PurgeName } from '../../contracts/jobs.js';

/** Rows deleted by one statement, so that no lock is held for long. */
const BATCH = 1_000;
/** A rule that is behind goes on in its next run: until then it is the turn of others. */
const SLICE_MS = 5_000;
/** How often a rule runs, unless it says otherwise. */
const EVERY_MS = 60_000;

/** What one batch did. */
export interface PurgeBatch {
  readonly deleted: number;
  /** Whether another batch would find something to do. */
  readonly more: boolean;
}

/** Deletes what is past its time. */
export interface PurgeRule {
  readonly everyMs: number;
  /** The tables whose rows it ends. */
  readonly tables: readonly string[];
  /** How long they are kept: by a setting, or that many milliseconds. */
  readonly keptFor: RetentionName | number;
  /**
   * Deletes at most `limit` rows that are `keptMs` past their time. @returns how many: fewer than `limit` when none is left;
   * or more exactly, a batch.
   */
  readonly purge: (limit: number, keptMs: number) => Promise<number | PurgeBatch>;
}

/** Every purge rule, by the name of its job. `PurgeJob` runs them in the worker role. */
@Injectable()
export class PurgeRegistry {
  readonly #rules = new Map<PurgeName, PurgeRule>();

  constructor(private readonly config: AppConfig) {}

  /** @throws when a rule of this name is registered already. */
  register(name: PurgeName, rule: PurgeRule): void {
    if (this.#rules.has(name)) {
      throw new Error(`The purge rule "${name}" is registered twice.`);
    }
    this.#rules.set(name, rule);
  }

  all(): readonly (readonly [name: PurgeName, rule: PurgeRule])[] {
    return [...this.#rules];
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
    const keptMs = typeof rule.keptFor === 'number' ? rule.keptFor : this.config.retention[rule.keptFor];
    const until = performance.now() + SLICE_MS;
    let deleted = 0;
    for (;;) {
      const outcome = await rule.purge(BATCH, keptMs);
      const batch = typeof outcome === 'number' ? { deleted: outcome, more: outcome >= BATCH } : outcome;
      deleted += batch.deleted;
      if (!batch.more || performance.now() >= until) {
        return { deleted, more: batch.more };
      }
    }
  }
}

/** How a feature declares a rule: `from` is what it deletes with, such as a repository. */
export interface PurgeDeclaration<D extends readonly unknown[]> extends Pick<PurgeRule, 'tables' | 'keptFor'> {
  readonly name: PurgeName;
  /** A minute unless said otherwise. */
  readonly everyMs?: number;
  readonly from: { readonly [I in keyof D]: Type<D[I]> };
  /** See {@link PurgeRule.purge}. */
  readonly purge: (
    batch: { readonly limit: number; readonly keptMs: number },
    ...from: D
  ) => ReturnType<PurgeRule['purge']>;
}

/** A provider for the module of a feature: it registers the rule when the application is built. */
export function purgeRule<D extends readonly unknown[]>(declaration: PurgeDeclaration<D>): Provider {
  const { name, everyMs = EVERY_MS, tables, keptFor, from, purge } = declaration;
  return {
    provide: Symbol(name),
    inject: [PurgeRegistry, ...from],
    useFactory: (registry: PurgeRegistry, ...injected: D): string => {
      const rule = {
        everyMs,
        tables,
        keptFor,
        purge: (limit: number, keptMs: number) => purge({ limit, keptMs }, ...injected),
      };
      registry.register(name, rule);
      return name;
    },
  };
}

import { Injectable, type Provider, type Type } from '@nestjs/common';
import type { PurgeName } from '../../contracts/jobs.js';

/** Rows deleted by one statement, so that no lock is held for long. */
const BATCH = 1_000;

/** Deletes what is past its time. */
export interface PurgeRule {
  readonly everyMs: number;
  /** Deletes at most `limit` rows. @returns how many; fewer than `limit` when none is left. */
  readonly purge: (limit: number) => Promise<number>;
}

/** Every purge rule, by the name of its job. `PurgeJob` runs them in the worker role. */
@Injectable()
export class PurgeRegistry {
  readonly #rules = new Map<PurgeName, PurgeRule>();

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

  /** Deletes everything that a rule finds, batch after batch. @throws for an unknown rule. */
  async run(name: PurgeName): Promise<void> {
    const rule = this.#rules.get(name);
    if (!rule) {
      throw new Error(`No purge rule "${name}".`);
    }
    let deleted: number;
    do {
      deleted = await rule.purge(BATCH);
    } while (deleted >= BATCH);
  }
}

/** How a feature declares a rule: `from` is what it deletes with, such as a repository. */
export interface PurgeDeclaration<D extends readonly unknown[]> {
  readonly name: PurgeName;
  readonly everyMs: number;
  readonly from: { readonly [I in keyof D]: Type<D[I]> };
  /** See {@link PurgeRule.purge}. */
  readonly purge: (limit: number, ...from: D) => Promise<number>;
}

/** A provider for the module of a feature: it registers the rule when the application is built. */
export function purgeRule<D extends readonly unknown[]>({ name, everyMs, from, purge }: PurgeDeclaration<D>): Provider {
  return {
    provide: Symbol(name),
    inject: [PurgeRegistry, ...from],
    useFactory: (registry: PurgeRegistry, ...injected: D): string => {
      registry.register(name, { everyMs, purge: (limit) => purge(limit, ...injected) });
      return name;
    },
  };
}

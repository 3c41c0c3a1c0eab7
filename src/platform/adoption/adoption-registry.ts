import { Injectable, type Provider, type Type } from '@nestjs/common';

/**
 * What a feature does with its tables when a database is adopted after a restore: the world may have gone on from where
 * they stand. In the transaction of the adoption, whose statements have no limit of time: one for all rows costs less than
 * batches, which would read again what the ones before them have changed. Harmless to repeat.
 * @returns how many rows it changed
 */
export type AdoptionRule = () => Promise<number>;

/** Every adoption rule, by what it says that it did, such as `sessions_ended`. */
@Injectable()
export class AdoptionRegistry {
  readonly #rules = new Map<string, AdoptionRule>();

  /** @throws when a rule of this name is registered already. */
  register(name: string, rule: AdoptionRule): void {
    if (this.#rules.has(name)) {
      throw new Error(`The adoption rule "${name}" is registered twice.`);
    }
    this.#rules.set(name, rule);
  }

  /** Runs every rule, one after the other. @returns how many rows each has changed */
  async run(): Promise<Readonly<Record<string, number>>> {
    const changed: Record<string, number> = {};
    for (const [name, rule] of this.#rules) {
      changed[name] = await rule();
    }
    return changed;
  }
}

/** How a feature declares a rule: `from` is what it changes its tables with, such as a repository. */
export interface AdoptionDeclaration<D extends readonly unknown[]> {
  readonly name: string;
  readonly from: { readonly [I in keyof D]: Type<D[I]> };
  /** See {@link AdoptionRule}. */
  readonly adopt: (...from: D) => Promise<number>;
}

/** A provider for the module of a feature: it registers the rule when the application is built. */
export function adoptionRule<D extends readonly unknown[]>({ name, from, adopt }: AdoptionDeclaration<D>): Provider {
  return {
    provide: Symbol(name),
    inject: [AdoptionRegistry, ...from],
    useFactory: (registry: AdoptionRegistry, ...injected: D): string => {
      registry.register(name, () => adopt(...injected));
      return name;
    },
  };
}

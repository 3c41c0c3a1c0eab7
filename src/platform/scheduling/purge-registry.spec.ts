import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AppConfig } from '../../config/app-config.js';
import { loadConfig } from '../../config/load-config.js';
import { Metrics } from '../metrics/metrics.js';
import { Transactions } from '../prisma/transactions.js';
import { type PurgeRule, PurgeRegistry, purgeRule } from './purge-registry.js';
import { PurgeRunsRepository } from './purge-runs.repository.js';

const CONFIG = loadConfig({
  DATABASE_URL: 'postgresql://localhost/mortise',
  REDIS_URL: 'redis://localhost',
  MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
  RETENTION_COMMANDS: '9d',
});

/** What the engine asks of the database: a batch is over, and stands, when its work is done. */
class Ledger {
  readonly counts: (readonly [rule: string, rows: number, keptMs: number])[] = [];
  readonly transactions = {
    run: <T>(work: () => Promise<T>) => work(),
    afterCommit: (action: () => void) => {
      action();
    },
  } as unknown as Transactions;
  readonly runs = {
    count: (...row: [string, number, number]) => {
      this.counts.push(row);
      return Promise.resolve();
    },
  } as unknown as PurgeRunsRepository;

  registry(): PurgeRegistry {
    return new PurgeRegistry(CONFIG, this.transactions, this.runs, new Metrics());
  }
}

function ruleOf(purge: PurgeRule['purge'], countsItself = false): PurgeRule {
  return { everyMs: 1, tables: ['shelves'], keptFor: 7, countsItself, purge };
}

@Injectable()
class Shelf {
  rows = 2_500;
  readonly batches: number[] = [];
  readonly kept = new Set<number>();

  take({ limit, keptMs }: { limit: number; keptMs: number }): number {
    const taken = Math.min(limit, this.rows);
    this.rows -= taken;
    this.batches.push(taken);
    this.kept.add(keptMs);
    return taken;
  }
}

const RULE = purgeRule({
  name: 'purge_shelf',
  tables: ['shelves'],
  keptFor: 'commandsMs',
  from: [Shelf],
  purge: (batch, shelf) => Promise.resolve(shelf.take(batch)),
});

describe('PurgeRegistry', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('runs the rule that a module provides, in batches, until nothing is left, with the time that is set', async () => {
    const ledger = new Ledger();
    const module = await Test.createTestingModule({
      providers: [
        PurgeRegistry,
        Shelf,
        RULE,
        Metrics,
        { provide: AppConfig, useValue: CONFIG },
        { provide: Transactions, useValue: ledger.transactions },
        { provide: PurgeRunsRepository, useValue: ledger.runs },
      ],
    }).compile();
    await expect(module.get(PurgeRegistry).run('purge_shelf')).resolves.toEqual({ deleted: 2_500, more: false });
    expect(ledger.counts).toEqual([1_000, 1_000, 500].map((rows) => ['purge_shelf', rows, 9 * 86_400_000]));
    expect(module.get(Shelf).batches).toEqual([1_000, 1_000, 500]);
    expect([...module.get(Shelf).kept]).toEqual([9 * 86_400_000]);
  });

  it('ends a run after five seconds, and says that there is more', async () => {
    let time = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => time);
    const registry = new Ledger().registry();
    const purge = jest.fn<PurgeRule['purge']>().mockImplementation((limit) => {
      time += 2_000;
      return Promise.resolve(limit);
    });
    registry.register('purge_shelf', ruleOf(purge));
    await expect(registry.run('purge_shelf')).resolves.toEqual({ deleted: 3_000, more: true });
    expect(purge.mock.calls).toEqual(Array(3).fill([1_000, 7, expect.any(Function)]));
  });

  it('refuses a rule that is registered twice, and one that is not registered', async () => {
    const registry = new Ledger().registry();
    const rule = ruleOf(() => Promise.resolve(0));
    registry.register('purge_shelf', rule);
    expect(() => {
      registry.register('purge_shelf', rule);
    }).toThrow('registered twice');
    await expect(registry.run('purge_cellar')).rejects.toThrow('No purge rule "purge_cellar"');
  });

  it('refuses a rule that would purge the audit trail, whichever way its rows would end', () => {
    const registry = new Ledger().registry();
    const tables = ['shelves', 'audit_entries'];
    const expected = 'The purge rule "purge_shelf" may not end rows of audit_entries.';
    expect(() => {
      registry.register('purge_shelf', { ...ruleOf(() => Promise.resolve(0)), tables });
    }).toThrow(expected);
    expect(() => {
      registry.declare('purge_shelf', { tables, keptFor: 7 });
    }).toThrow(expected);
    expect([registry.all(), registry.retentions()]).toEqual([[], []]);
  });

  it('takes the count of a rule that has transactions of its own, and fails the run of one that does not count', async () => {
    const ledger = new Ledger();
    const registry = ledger.registry();
    const counting = ruleOf(async (_limit, _keptMs, count) => {
      await count(1);
      await count(2);
      return { deleted: 3, more: false };
    }, true);
    registry.register('purge_shelf', counting);
    await expect(registry.run('purge_shelf')).resolves.toEqual({ deleted: 3, more: false });
    expect(ledger.counts).toEqual([1, 2].map((rows) => ['purge_shelf', rows, 7]));
    registry.register(
      'purge_cellar',
      ruleOf(() => Promise.resolve({ deleted: 3, more: false }), true),
    );
    await expect(registry.run('purge_cellar')).rejects.toThrow('"purge_cellar" deleted 3 rows, and counted 0');
  });
});

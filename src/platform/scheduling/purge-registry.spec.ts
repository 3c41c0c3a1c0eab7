import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AppConfig } from '../../config/app-config.js';
import { loadConfig } from '../../config/load-config.js';
import { PurgeRegistry, purgeRule } from './purge-registry.js';

const CONFIG = loadConfig({
  DATABASE_URL: 'postgresql://localhost/mortise',
  REDIS_URL: 'redis://localhost',
  MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
  RETENTION_COMMANDS: '9d',
});

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
    const module = await Test.createTestingModule({
      providers: [PurgeRegistry, Shelf, RULE, { provide: AppConfig, useValue: CONFIG }],
    }).compile();
    await expect(module.get(PurgeRegistry).run('purge_shelf')).resolves.toEqual({ deleted: 2_500, more: false });
    expect(module.get(Shelf).batches).toEqual([1_000, 1_000, 500]);
    expect([...module.get(Shelf).kept]).toEqual([9 * 86_400_000]);
  });

  it('ends a run after five seconds, and says that there is more', async () => {
    let time = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => time);
    const registry = new PurgeRegistry(CONFIG);
    const purge = jest.fn<(limit: number, keptMs: number) => Promise<number>>().mockImplementation((limit) => {
      time += 2_000;
      return Promise.resolve(limit);
    });
    registry.register('purge_shelf', { everyMs: 1, tables: ['shelves'], keptFor: 7, purge });
    await expect(registry.run('purge_shelf')).resolves.toEqual({ deleted: 3_000, more: true });
    expect(purge.mock.calls).toEqual(Array(3).fill([1_000, 7]));
  });

  it('refuses a rule that is registered twice, and one that is not registered', async () => {
    const registry = new PurgeRegistry(CONFIG);
    const rule = { everyMs: 1, tables: ['shelves'], keptFor: 1, purge: () => Promise.resolve(0) };
    registry.register('purge_shelf', rule);
    expect(() => {
      registry.register('purge_shelf', rule);
    }).toThrow('registered twice');
    await expect(registry.run('purge_cellar')).rejects.toThrow('No purge rule "purge_cellar"');
  });
});

import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { PurgeRegistry, purgeRule } from './purge-registry.js';

@Injectable()
class Shelf {
  rows = 2_500;
  readonly batches: number[] = [];

  take(limit: number): number {
    const taken = Math.min(limit, this.rows);
    this.rows -= taken;
    this.batches.push(taken);
    return taken;
  }
}

const RULE = purgeRule({
  name: 'purge_shelf',
  everyMs: 60_000,
  from: [Shelf],
  purge: (limit, shelf) => Promise.resolve(shelf.take(limit)),
});

describe('PurgeRegistry', () => {
  it('runs the rule that a module provides, in batches, until nothing is left', async () => {
    const module = await Test.createTestingModule({ providers: [PurgeRegistry, Shelf, RULE] }).compile();
    await module.get(PurgeRegistry).run('purge_shelf');
    expect(module.get(Shelf).batches).toEqual([1_000, 1_000, 500]);
  });

  it('refuses a rule that is registered twice, and one that is not registered', async () => {
    const registry = new PurgeRegistry();
    const rule = { everyMs: 1, purge: () => Promise.resolve(0) };
    registry.register('purge_shelf', rule);
    expect(() => {
      registry.register('purge_shelf', rule);
    }).toThrow('registered twice');
    await expect(registry.run('purge_cellar')).rejects.toThrow('No purge rule "purge_cellar"');
  });
});

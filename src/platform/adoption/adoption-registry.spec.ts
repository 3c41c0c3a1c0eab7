import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AdoptionRegistry, adoptionRule } from './adoption-registry.js';

@Injectable()
class Shelf {
  rows = 4_500;

  clear(): number {
    const taken = this.rows;
    this.rows = 0;
    return taken;
  }
}

const RULE = adoptionRule({
  name: 'rows_taken',
  from: [Shelf],
  adopt: (shelf) => Promise.resolve(shelf.clear()),
});

describe('AdoptionRegistry', () => {
  it('runs the rule that a module provides, and says how many rows it changed', async () => {
    const module = await Test.createTestingModule({ providers: [AdoptionRegistry, Shelf, RULE] }).compile();
    expect(await module.get(AdoptionRegistry).run()).toEqual({ rows_taken: 4_500 });
    expect(module.get(Shelf).rows).toBe(0);
  });

  it('refuses a rule that is registered twice', () => {
    const registry = new AdoptionRegistry();
    const rule = (): Promise<number> => Promise.resolve(0);
    registry.register('rows_taken', rule);
    expect(() => {
      registry.register('rows_taken', rule);
    }).toThrow('registered twice');
  });
});

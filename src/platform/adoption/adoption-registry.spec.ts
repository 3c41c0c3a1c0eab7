import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AdoptionRegistry, adoptionRule } from './adoption-registry.js';

@Injectable()
class Shelf {
  rows = 4_500;
  readonly turns: (readonly [turn: number, taken: number])[] = [];

  take(limit: number, turn: number): number {
    const taken = Math.min(limit, this.rows);
    this.rows -= taken;
    this.turns.push([turn, taken]);
    return taken;
  }
}

const RULE = adoptionRule({
  name: 'rows_taken',
  from: [Shelf],
  adopt: (limit, turn, shelf) => Promise.resolve(shelf.take(limit, turn)),
});

describe('AdoptionRegistry', () => {
  it('runs the rule that a module provides, in batches, and says how many rows it changed', async () => {
    const module = await Test.createTestingModule({ providers: [AdoptionRegistry, Shelf, RULE] }).compile();
    expect(await module.get(AdoptionRegistry).run()).toEqual({ rows_taken: 4_500 });
    expect(module.get(Shelf).turns).toEqual([
      [0, 2_000],
      [1, 2_000],
      [2, 500],
    ]);
  });

  it('refuses a rule that is registered twice', () => {
    const registry = new AdoptionRegistry();
    const rule = { adopt: () => Promise.resolve(0) };
    registry.register('rows_taken', rule);
    expect(() => {
      registry.register('rows_taken', rule);
    }).toThrow('registered twice');
  });
});

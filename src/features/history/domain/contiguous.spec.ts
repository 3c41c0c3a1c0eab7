import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { advance } from './contiguous.js';

const events = (...seqs: number[]) => seqs.map((seq) => ({ seq }));

describe('advance', () => {
  it('accepts what continues the sequence, in its order', () => {
    expect(advance(2, events(4, 3, 5))).toEqual({ accepted: events(3, 4, 5), waiting: [], seq: 5 });
  });

  it('drops repeats of what is stored and of each other', () => {
    expect(advance(2, events(1, 2, 3, 3))).toEqual({ accepted: events(3), waiting: [], seq: 3 });
  });

  it('returns what is beyond a gap as waiting', () => {
    expect(advance(0, events(1, 3, 4))).toEqual({ accepted: events(1), waiting: events(3, 4), seq: 1 });
    expect(advance(0, events(2))).toEqual({ accepted: [], waiting: events(2), seq: 0 });
  });

  it('stores each number once and without a gap, however often and in whatever order they arrive', () => {
    const batches = fc.array(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 }), { maxLength: 20 });
    fc.assert(
      fc.property(batches, (all) => {
        const stored: number[] = [];
        let seq = 0;
        for (const batch of all) {
          const step = advance(seq, events(...batch));
          stored.push(...step.accepted.map((event) => event.seq));
          expect(step.waiting.every((event) => event.seq > step.seq + 1)).toBe(true);
          seq = step.seq;
        }
        expect(stored).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
      }),
    );
  });
});

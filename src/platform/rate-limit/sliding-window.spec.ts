import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PARTS, SlidingWindow } from './sliding-window.js';
import { SlidingWindowStore } from './sliding-window-store.js';

const POLICY = { limit: 5, windowMs: 1_000 };
/** How much longer than the window a request is remembered at most. */
const PART_MS = POLICY.windowMs / PARTS;

describe('SlidingWindow', () => {
  it('admits the limit, says what is left, and refuses the next', () => {
    const window = new SlidingWindow(POLICY);
    const verdicts = Array.from({ length: 6 }, () => window.spend(10_000));
    expect(verdicts.map(({ remaining }) => remaining)).toEqual([4, 3, 2, 1, 0, 0]);
    expect(verdicts.map(({ admitted }) => admitted)).toEqual([true, true, true, true, true, false]);
  });

  it('admits again when it said so, and not before', () => {
    const window = new SlidingWindow(POLICY);
    const start = 10_020;
    const verdicts = Array.from({ length: 6 }, () => window.spend(start));
    const wait = verdicts.at(-1)?.resetMs ?? 0;
    expect(wait).toBeGreaterThanOrEqual(POLICY.windowMs);
    expect(wait).toBeLessThanOrEqual(POLICY.windowMs + PART_MS);
    expect(window.spend(start + wait - 1).admitted).toBe(false);
    expect(window.spend(start + wait).admitted).toBe(true);
  });

  it('never admits more than the limit in any window, wherever it begins', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 200 }), (pauses) => {
        const window = new SlidingWindow(POLICY);
        let now = 50_000;
        const admitted: number[] = [];
        for (const pause of pauses) {
          now += pause;
          if (window.spend(now).admitted) {
            admitted.push(now);
          }
        }
        return admitted.every(
          (from) => admitted.filter((at) => at >= from && at < from + POLICY.windowMs).length <= POLICY.limit,
        );
      }),
    );
  });

  it('does not punish for what it refused', () => {
    const window = new SlidingWindow(POLICY);
    for (let now = 0; now < POLICY.windowMs; now += 10) {
      window.spend(now);
    }
    expect(window.spend(POLICY.windowMs + PART_MS).admitted).toBe(true);
  });
});

describe('SlidingWindowStore', () => {
  it('counts each caller alone', () => {
    const windows = new SlidingWindowStore({ limit: 1, windowMs: 1_000 }, 10);
    expect(windows.spend('a', 0).admitted).toBe(true);
    expect(windows.spend('b', 0).admitted).toBe(true);
    expect(windows.spend('a', 0).admitted).toBe(false);
  });

  it('forgets who was not seen for longest when there are too many', () => {
    const windows = new SlidingWindowStore({ limit: 1, windowMs: 1_000 }, 2);
    ['a', 'b', 'a', 'c'].forEach((key) => windows.spend(key, 0));
    expect(windows.spend('a', 0).admitted).toBe(false);
    expect(windows.spend('b', 0).admitted).toBe(true);
  });
});

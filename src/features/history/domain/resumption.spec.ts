import { describe, expect, it } from '@jest/globals';
import { resume, type Sequence } from './resumption.js';

const ADOPTED = new Date('2026-03-01T00:00:00Z');
const after = (ms: number): Date => new Date(ADOPTED.getTime() + ms);
const sequence = (changes: Partial<Sequence> = {}): Sequence => ({
  seq: 12,
  adoptedAt: ADOPTED,
  resumeFrom: null,
  resumeSeenAt: null,
  now: after(1_000),
  ...changes,
});

describe('resume', () => {
  it('leaves a sequence alone that no restore has touched', () => {
    const row = sequence({ adoptedAt: null });
    expect(resume(row, [21, 22])).toBe(row);
  });

  it('leaves it alone when only repeats arrived', () => {
    const row = sequence();
    expect(resume(row, [3, 12])).toBe(row);
  });

  it('only looks at first, and takes down the lowest number of a while', () => {
    const first = resume(sequence(), [23, 22]);
    expect(first).toMatchObject({ seq: 12, resumeFrom: 22, resumeSeenAt: after(1_000) });
    const second = resume({ ...first, now: after(1_500) }, [21]);
    expect(second).toMatchObject({ seq: 12, resumeFrom: 21, resumeSeenAt: after(1_000) });
    expect(resume({ ...second, now: after(1_600) }, [24])).toMatchObject({ resumeFrom: 21 });
  });

  it('goes on at the lowest one when it is repeated, and not at a later one', () => {
    const row = sequence({ resumeFrom: 21, resumeSeenAt: after(1_000), now: after(6_000) });
    expect(resume(row, [22, 23])).toBe(row);
    expect(resume(row, [22, 21, 23])).toMatchObject({ seq: 20, resumeFrom: null, resumeSeenAt: null });
  });

  it('goes on at one that is lower still', () => {
    const row = sequence({ resumeFrom: 21, resumeSeenAt: after(1_000), now: after(6_000) });
    expect(resume(row, [19, 20, 21])).toMatchObject({ seq: 18 });
  });

  it('forgets a stray of the broker, which never comes again', () => {
    const row = sequence({ resumeFrom: 15, resumeSeenAt: after(0), now: after(160_000) });
    const anew = resume(row, [21]);
    expect(anew).toMatchObject({ seq: 12, resumeFrom: 21, resumeSeenAt: after(160_000) });
    expect(resume({ ...anew, now: after(170_000) }, [21])).toMatchObject({ seq: 20 });
  });

  it('can go on a second time: what continued the sequence may have been a stray', () => {
    const continued = resume(sequence(), [13]);
    expect(continued).toMatchObject({ seq: 12, adoptedAt: ADOPTED });
    const row = sequence({ seq: 13, resumeFrom: 21, resumeSeenAt: after(1_000), now: after(6_000) });
    expect(resume(row, [21])).toMatchObject({ seq: 20, adoptedAt: ADOPTED });
  });

  it('trusts the sequence again once strays are over', () => {
    expect(resume(sequence({ now: after(601_000) }), [13])).toMatchObject({ seq: 12, adoptedAt: null });
    const late = sequence({ resumeFrom: 21, resumeSeenAt: after(600_500), now: after(606_000) });
    expect(resume(late, [21])).toMatchObject({ seq: 20, adoptedAt: null });
  });
});

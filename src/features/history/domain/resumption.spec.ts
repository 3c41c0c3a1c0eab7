import { describe, expect, it } from '@jest/globals';
import { type Numbered, resume, type Sequence } from './resumption.js';

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
const events = (...numbers: readonly number[]): Numbered[] => numbers.map((seq) => ({ seq }));
const saying = (oldest: number, ...numbers: readonly number[]): Numbered[] => numbers.map((seq) => ({ seq, oldest }));

describe('resume, where the device says which of its events is the oldest', () => {
  it('goes on there at once, whichever of its messages arrives, and whichever is refused', () => {
    // The message with 481, in which one event is no good, never gets so far.
    const row = resume(sequence(), saying(481, 501, 502));
    expect(row).toMatchObject({ seq: 480, adoptedAt: null });
    expect(resume({ ...row, now: after(60_000) }, saying(481, 501, 502))).toMatchObject({ seq: 480 });
  });

  it('goes on also where no restore is known of, as after a recovery to a point in time', () => {
    expect(resume(sequence({ adoptedAt: null }), saying(481, 481))).toMatchObject({ seq: 480, adoptedAt: null });
  });

  it('is never set back or held up by a late message', () => {
    const row = sequence({ seq: 480, adoptedAt: null });
    expect(resume(row, saying(470, 470, 490))).toBe(row);
    expect(resume(row, [...saying(470, 490), ...saying(485, 485)])).toMatchObject({ seq: 484 });
  });

  it('closes no gap above it: those events are still to come', () => {
    const row = sequence({ adoptedAt: null });
    expect(resume(row, saying(13, 15, 16))).toBe(row);
    expect(resume(row, saying(2, 15))).toBe(row);
  });

  it('ends the search that was begun before', () => {
    const row = sequence({ resumeFrom: 15, resumeSeenAt: after(0) });
    expect(resume(row, saying(13, 15))).toMatchObject({ seq: 12, adoptedAt: null, resumeFrom: null });
  });
});

describe('resume, where it says nothing', () => {
  it('leaves a sequence alone that no restore has touched', () => {
    const row = sequence({ adoptedAt: null });
    expect(resume(row, events(21, 22))).toBe(row);
  });

  it('leaves it alone when only repeats arrived', () => {
    const row = sequence();
    expect(resume(row, events(3, 12))).toBe(row);
  });

  it('only looks at first, and takes down the lowest number of a while', () => {
    const first = resume(sequence(), events(23, 22));
    expect(first).toMatchObject({ seq: 12, resumeFrom: 22, resumeSeenAt: after(1_000) });
    const second = resume({ ...first, now: after(1_500) }, events(21));
    expect(second).toMatchObject({ seq: 12, resumeFrom: 21, resumeSeenAt: after(1_000) });
    expect(resume({ ...second, now: after(1_600) }, events(24))).toMatchObject({ resumeFrom: 21 });
  });

  it('waits for a message that a stopped process swallowed two times', () => {
    const first = resume(sequence(), events(501, 502));
    const second = resume({ ...first, now: after(6_000) }, events(501, 502));
    const third = resume({ ...second, now: after(16_000) }, events(481, 482));
    expect(third).toMatchObject({ seq: 12, resumeFrom: 481 });
    expect(resume({ ...third, now: after(36_000) }, events(481, 482))).toMatchObject({ seq: 480 });
  });

  it('goes on at the lowest one when it is repeated, and not at a later one', () => {
    const row = sequence({ resumeFrom: 21, resumeSeenAt: after(1_000), now: after(36_000) });
    expect(resume(row, events(22, 23))).toBe(row);
    expect(resume(row, events(22, 21, 23))).toMatchObject({ seq: 20, resumeFrom: null, resumeSeenAt: null });
  });

  it('goes on at one that is lower still', () => {
    const row = sequence({ resumeFrom: 21, resumeSeenAt: after(1_000), now: after(36_000) });
    expect(resume(row, events(19, 20, 21))).toMatchObject({ seq: 18 });
  });

  it('forgets a late message, which never comes again', () => {
    const row = sequence({ resumeFrom: 15, resumeSeenAt: after(0), now: after(160_000) });
    const anew = resume(row, events(21));
    expect(anew).toMatchObject({ seq: 12, resumeFrom: 21, resumeSeenAt: after(160_000) });
    expect(resume({ ...anew, now: after(195_000) }, events(21))).toMatchObject({ seq: 20 });
  });

  it('begins anew when the clock was set back by weeks', () => {
    const row = sequence({ resumeFrom: 21, resumeSeenAt: after(1_000), now: after(-1_814_400_000) });
    const anew = resume(row, events(21));
    expect(anew).toMatchObject({ resumeFrom: 21, resumeSeenAt: row.now });
    expect(resume({ ...anew, now: after(-1_814_365_000) }, events(21))).toMatchObject({ seq: 20 });
  });

  it('can go on a second time: what continued the sequence may have been a late message', () => {
    const continued = resume(sequence(), events(13));
    expect(continued).toMatchObject({ seq: 12, adoptedAt: ADOPTED });
    const row = sequence({ seq: 13, resumeFrom: 21, resumeSeenAt: after(1_000), now: after(36_000) });
    expect(resume(row, events(21))).toMatchObject({ seq: 20, adoptedAt: ADOPTED });
  });

  it('trusts the sequence again once late messages are over', () => {
    expect(resume(sequence({ now: after(601_000) }), events(13))).toMatchObject({ seq: 12, adoptedAt: null });
    const late = sequence({ resumeFrom: 21, resumeSeenAt: after(600_500), now: after(636_000) });
    expect(resume(late, events(21))).toMatchObject({ seq: 20, adoptedAt: null });
  });
});

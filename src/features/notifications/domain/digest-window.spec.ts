import { describe, expect, it } from '@jest/globals';
import { type DigestWindow, place, placeUrgent, WINDOW_MS } from './digest-window.js';

const NONE: DigestWindow = { openUntilMs: null, messageId: null, items: 0 };
const NOW = 1_000_000;

/** Places so many at these times, where messages begin to be sent when they are due. @returns when messages are due */
function dueOf(times: readonly number[], afterQuiet = (at: number): number => at): number[] {
  const due: number[] = [];
  let window = NONE;
  let lastDue = -Infinity;
  for (const at of times) {
    const begun = lastDue <= at;
    const seen = {
      ...window,
      messageId: begun ? null : window.messageId,
      openUntilMs: window.openUntilMs !== null && window.openUntilMs > at ? window.openUntilMs : null,
    };
    const placed = place(seen, at, afterQuiet, () => String(due.length));
    window = placed.window;
    if (placed.dueMs !== null) {
      due.push(placed.dueMs);
      lastDue = placed.dueMs;
    }
  }
  return due;
}

describe('digest windows', () => {
  it('let the first go at once', () => {
    expect(dueOf([NOW])).toEqual([NOW]);
  });

  it('make two messages of a burst', () => {
    expect(dueOf(Array.from({ length: 150 }, (_, second) => NOW + second * 1_000))).toEqual([NOW, NOW + WINDOW_MS]);
  });

  it('make one message for each window of a burst that does not end', () => {
    const hour = Array.from({ length: 3_600 }, (_, second) => NOW + second * 1_000);
    expect(dueOf(hour).length).toBeLessThanOrEqual(3_600 / (WINDOW_MS / 1_000) + 13);
    expect(dueOf(hour).length).toBeLessThan(3_600 / 5);
  });

  it('begin anew when they have passed', () => {
    expect(dueOf([NOW, NOW + WINDOW_MS, NOW + WINDOW_MS + 1])).toEqual([NOW, NOW + WINDOW_MS, NOW + 2 * WINDOW_MS]);
  });

  it('wait for the end of quiet hours', () => {
    const morning = NOW + 8 * 3_600_000;
    const times = Array.from({ length: 100 }, (_, minute) => NOW + minute * 60_000);
    expect(dueOf(times, (at) => Math.max(at, morning))).toEqual([morning]);
  });

  it('take a limited number into one message', () => {
    const times = Array.from({ length: 450 }, (_, ms) => NOW + ms);
    expect(dueOf(times)).toEqual([NOW, NOW + WINDOW_MS, NOW + 2 * WINDOW_MS, NOW + 3 * WINDOW_MS]);
  });
});

describe('what is urgent', () => {
  /** Where nothing begins to be sent meanwhile. @returns when messages are due, and how many there are in each */
  function placedOf(times: readonly number[]): [dueMs: number, items: number][] {
    const messages = new Map<string, [number, number]>();
    let window = NONE;
    times.forEach((at) => {
      const placed = placeUrgent(window, at, () => String(messages.size));
      window = placed.window;
      const [due, items] = messages.get(placed.window.messageId) ?? [placed.dueMs ?? Number.NaN, 0];
      messages.set(placed.window.messageId, [due, items + 1]);
    });
    return [...messages.values()];
  }
  const each = (count: number, everyMs = 1): number[] =>
    Array.from({ length: count }, (_, index) => NOW + index * everyMs);

  it('goes at once, each alone, while there are few', () => {
    expect(placedOf(each(10))).toEqual(each(10).map((at) => [at, 1]));
  });

  it('goes together at the end of the window, where there are many', () => {
    expect(placedOf(each(450)).slice(10)).toEqual([
      [NOW + WINDOW_MS, 200],
      [NOW + WINDOW_MS, 200],
      [NOW + WINDOW_MS, 40],
    ]);
  });

  it('goes at once again in the next window, so that a plague costs a dozen messages in each', () => {
    const placed = placedOf(each(1_200, 1_000));
    expect(placed.length).toBe(4 * 12);
    expect(placed.slice(12, 22).map(([due]) => due)).toEqual(each(10, 1_000).map((at) => at + WINDOW_MS));
  });

  it('does not wait for a message that waits since its window has passed', () => {
    const passed = { openUntilMs: NOW - 1, messageId: 'm', items: 30 };
    expect(placeUrgent(passed, NOW, () => 'n')).toMatchObject({ window: { messageId: 'n', items: 1 }, dueMs: NOW });
  });
});

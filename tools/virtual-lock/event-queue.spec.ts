import { describe, expect, it } from '@jest/globals';
import { EventQueue, type Report } from './event-queue.js';

const motion: Report = { type: 'motion_detected', data: {} };
const stamp = { uptimeMs: 1 };
const seqs = (queue: EventQueue): number[] =>
  queue
    .batches()
    .flat()
    .map(({ seq }) => seq);

function queueOf(count: number, capacity?: number): EventQueue {
  const queue = new EventQueue('boot', capacity);
  for (let n = 0; n < count; n += 1) {
    queue.add(motion, stamp);
  }
  return queue;
}

describe('the event queue', () => {
  it('numbers events from 1 without a gap', () => {
    expect(seqs(queueOf(3))).toEqual([1, 2, 3]);
  });

  it('lets go of what a receipt covers, and keeps the rest', () => {
    const queue = queueOf(5);
    expect(queue.settle({ boot: 'boot', seq: 3 })).toBe(true);
    expect(seqs(queue)).toEqual([4, 5]);
    expect(queue.settle({ boot: 'boot', seq: 2 })).toBe(true);
    expect(seqs(queue)).toEqual([4, 5]);
  });

  it('ignores receipts for another boot, or for events that never were', () => {
    const queue = queueOf(2);
    expect(queue.settle({ boot: 'another', seq: 2 })).toBe(false);
    expect(queue.settle({ boot: 'boot', seq: 3 })).toBe(false);
    expect(seqs(queue)).toEqual([1, 2]);
  });

  it('sends no more than 100 events in a message', () => {
    expect(
      queueOf(250)
        .batches()
        .map((batch) => batch.length),
    ).toEqual([100, 100, 50]);
  });

  it('sends no message above 65536 bytes', () => {
    const queue = new EventQueue('boot');
    for (let n = 0; n < 30; n += 1) {
      queue.add({ type: 'custom', data: { text: 'x'.repeat(9000) } }, stamp);
    }
    const sizes = queue.batches().map((batch) => Buffer.byteLength(JSON.stringify(batch)));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536);
    expect(sizes.length).toBe(5);
  });

  it('says in each message which is the oldest that no receipt covers', () => {
    const queue = queueOf(150);
    queue.settle({ boot: 'boot', seq: 3 });
    expect(queue.batches().map(([first]) => first?.oldest)).toEqual([4, 4]);
    expect(queue.stamped(queue.add(motion, stamp))).toMatchObject([{ seq: 151, oldest: 4 }]);
  });

  it('loses the newest when full, without a gap in the numbers, and says so when there is room', () => {
    const queue = queueOf(6, 4);
    expect(seqs(queue)).toEqual([1, 2, 3, 4]);
    queue.settle({ boot: 'boot', seq: 3 });
    queue.add(motion, stamp);
    expect(queue.batches().flat()).toMatchObject([
      { seq: 4 },
      {
        seq: 5,
        type: 'error_occurred',
        data: { errorCode: 'events_lost', errorMessage: '2 events found no room and are lost' },
      },
      { seq: 6, type: 'motion_detected' },
    ]);
  });

  it('takes no event that no message could carry', () => {
    const queue = new EventQueue('boot');
    expect(queue.add({ type: 'custom', data: { text: 'x'.repeat(70_000) } }, stamp)).toEqual([]);
    expect(queue.size).toBe(0);
  });
});

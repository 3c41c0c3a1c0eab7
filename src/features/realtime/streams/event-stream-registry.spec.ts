import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { COMMENT } from '../../../platform/http/streams/event-frame.js';
import type { EventStream } from '../../../platform/http/streams/event-stream.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import { EventStreamRegistry } from './event-stream-registry.js';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** Seen to fail: with a comment after 15 s of silence, which is looked for once a second. */
describe('EventStreamRegistry', () => {
  it('lets no stream be silent for longer than fifteen seconds, and says nothing to one that is not', async () => {
    const registry = new EventStreamRegistry(new Metrics());
    let writtenAt = performance.now();
    const comments: number[] = [];
    const stream = {
      get silentMs() {
        return performance.now() - writtenAt;
      },
      write: (frame: Buffer) => {
        expect(frame).toBe(COMMENT);
        comments.push(performance.now() - writtenAt);
        writtenAt = performance.now();
      },
      onClose: () => undefined,
    };
    registry.add({
      userId: 'ada',
      sessionId: 'hers',
      expiresAtMs: Infinity,
      stream: stream as unknown as EventStream,
    });
    // Something else is written, at a moment between two looks.
    await jest.advanceTimersByTimeAsync(10_300);
    writtenAt = performance.now();
    await jest.advanceTimersByTimeAsync(13_500);
    expect(comments).toEqual([]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(comments.length).toBeGreaterThanOrEqual(4);
    expect(comments.filter((silentMs) => silentMs < 14_000 || silentMs > 15_000)).toEqual([]);
    registry.onModuleDestroy();
  });
});

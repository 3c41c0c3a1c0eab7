import { describe, expect, it } from '@jest/globals';
import type { SignalPayloads } from '../../../contracts/signals.js';
import type { SignalBus } from '../../../platform/redis/signal-bus.js';
import { Clock } from '../../../shared/clock.js';
import { HeartbeatCountStore } from './heartbeat-count-store.js';

type Written = SignalPayloads['heartbeats_written'];

class FakeClock extends Clock {
  seconds = 1_000;
  now(): number {
    return this.monotonic();
  }
  monotonic(): number {
    return this.seconds * 1_000;
  }
}

/** Seen to fail: with counts that are never forgotten. */
describe('HeartbeatCountStore', () => {
  it('tells rates of the last minute, which fall when heartbeats stop, and how many there were since it began', () => {
    const clock = new FakeClock();
    let hear: (written: Written) => void = () => undefined;
    const signals = { on: (_name: string, handler: typeof hear) => void (hear = handler) };
    const store = new HeartbeatCountStore(signals as unknown as SignalBus, clock);
    store.onModuleInit();
    expect(store.perSecond()).toEqual({ mqtt: 0, websocket: 0, http: 0 });
    for (let second = 0; second < 90; second += 1) {
      clock.seconds += 1;
      hear({ beats: [], byKind: { mqtt: 30, ...(second % 2 === 0 && { websocket: 1 }) } });
      hear({ beats: [], byKind: { mqtt: 3 } });
      if (second === 9) {
        // Since it began: less than a minute.
        expect(store.perSecond()).toEqual({ mqtt: 33, websocket: 0.5, http: 0 });
      }
    }
    expect(store.perSecond()).toEqual({ mqtt: 33, websocket: 0.5, http: 0 });
    clock.seconds += 30;
    expect(store.perSecond()).toEqual({ mqtt: 16.5, websocket: 0.25, http: 0 });
    clock.seconds += 30;
    expect(store.perSecond()).toEqual({ mqtt: 0, websocket: 0, http: 0 });
    expect(store.total).toBe(90 * 33 + 45);
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { LiveFeed } from '../../../platform/events/live-feed.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import { liveRefusals } from '../../../platform/realtime/live-refusals.js';
import { Clock } from '../../../shared/clock.js';
import type { DeviceCountsService, DeviceTotals } from '../../presence/counts/device-counts.service.js';
import type { FeedPublisher } from '../feed/feed-publisher.js';
import type { RealtimeStatsDto } from './realtime-stats.dto.js';
import { RealtimeStatsService } from './realtime-stats.service.js';

class TimerClock extends Clock {
  now(): number {
    return Date.now();
  }
  monotonic(): number {
    return performance.now();
  }
}

const COUNTED = {
  byKind: [
    { kind: 'mqtt', links: 3 },
    { kind: 'websocket', links: 2 },
    { kind: 'http', links: 1 },
  ],
} as unknown as DeviceTotals;

let stats: RealtimeStatsService;
let metrics: Metrics;
let devices: { writtenHeartbeats: number; find: () => Promise<DeviceTotals | undefined> };

beforeEach(() => {
  jest.useFakeTimers();
  metrics = new Metrics();
  devices = { writtenHeartbeats: 0, find: () => Promise.resolve(COUNTED) };
  stats = new RealtimeStatsService(
    { subscribe: () => () => undefined } as unknown as LiveFeed,
    { backlog: 0 } as FeedPublisher,
    devices as DeviceCountsService,
    metrics,
    new TimerClock(),
  );
});

afterEach(() => {
  stats.onModuleDestroy();
  jest.useRealTimers();
});

async function watchFor(seconds: number): Promise<RealtimeStatsDto[]> {
  const told: RealtimeStatsDto[] = [];
  const end = stats.watch((each) => told.push(each));
  await jest.advanceTimersByTimeAsync(seconds * 1_000);
  end();
  return told;
}

/** Seen to fail: with a question to PostgreSQL that is waited for; with 900 ms in place of a second. */
describe('RealtimeStatsService', () => {
  it('tells who watches once a second what is live', async () => {
    const told = await watchFor(10);
    const moments = told.map(({ at }) => Date.parse(at));
    expect(moments).toHaveLength(10);
    expect(moments.slice(1).map((at, index) => at - (moments[index] ?? 0))).toEqual(
      Array.from({ length: 9 }, () => 1_000),
    );
    expect(told[0]?.devices).toEqual({ mqtt: 3, websocket: 2, http: 1 });
  });

  it('does so every second while PostgreSQL says nothing, without the links of devices', async () => {
    devices.find = () => new Promise(() => undefined);
    const told = await watchFor(10);
    expect(told.length).toBeGreaterThanOrEqual(9);
    expect(new Set(told.map((each) => each.devices))).toEqual(new Set([null]));
    devices.find = () => Promise.resolve(undefined);
    expect(new Set((await watchFor(2)).map((each) => each.devices))).toEqual(new Set([null]));
  });

  it('counts heartbeats of any link, and refusals of every kind', async () => {
    const refused = liveRefusals(metrics);
    const limited = metrics.counter('mortise_rate_limit_refusals_total', 'above', ['category']);
    const shed = metrics.counter('mortise_shed_total', 'shed', ['priority']);
    const told: RealtimeStatsDto[] = [];
    stats.watch((each) => told.push(each));
    await jest.advanceTimersByTimeAsync(1_000);
    devices.writtenHeartbeats += 40;
    limited.inc({ category: 'user' });
    shed.inc({ priority: 'read' }, 2);
    for (const what of ['messages', 'handshakes', 'connections', 'streams', 'waiting', 'watchers'] as const) {
      refused(what);
    }
    await jest.advanceTimersByTimeAsync(2_000);
    expect(told.map(({ perSecond: { heartbeats, refusals } }) => [heartbeats, refusals])).toEqual([
      [0, 0],
      [40, 9],
      [0, 0],
    ]);
  });
});

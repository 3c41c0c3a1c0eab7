import { describe, expect, it, jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import { Metrics } from '../../platform/metrics/metrics.js';
import type { DeviceLimiter } from '../../platform/mqtt/limits/device-limiter.js';
import type { SignalBus } from '../../platform/redis/signal-bus.js';
import { Clock } from '../../shared/clock.js';
import { HeartbeatBuffer } from './heartbeat-buffer.js';
import type { HeldHeartbeat } from './presence.types.js';

class FakeClock extends Clock {
  time = 0;
  now(): number {
    return this.time;
  }
  monotonic(): number {
    return this.time;
  }
}

function build() {
  const clock = new FakeClock();
  const metrics = new Metrics();
  const limiter = { statusPauseMs: () => 0, countStatus: jest.fn() };
  const buffer = new HeartbeatBuffer(
    clock,
    limiter as unknown as DeviceLimiter,
    { setContext: jest.fn(), warn: jest.fn() } as unknown as PinoLogger,
    metrics,
    { publish: jest.fn() } as unknown as SignalBus,
  );
  const written: HeldHeartbeat[][] = [];
  const reopen = jest.fn(() => Promise.resolve(true));
  const write = (beats: readonly HeldHeartbeat[]): Promise<readonly HeldHeartbeat[]> => {
    written.push([...beats]);
    return Promise.resolve(beats.filter(({ boot }) => boot === 'unlinked'));
  };
  buffer.onFlush(write, reopen);
  return { clock, buffer, write, written, reopen, metrics };
}

function holdMany(buffer: HeartbeatBuffer, devices: number): void {
  for (let index = 0; index < devices; index++) {
    buffer.hold(`device-${String(index)}`, 'mqtt', { boot: 'one', uptimeMs: 1 });
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('HeartbeatBuffer', () => {
  it('keeps the newest heartbeat of each device, with its age', async () => {
    const { clock, buffer, written } = build();
    buffer.hold('a', 'mqtt', { boot: 'one', uptimeMs: 10 });
    buffer.hold('b', 'mqtt', { boot: 'two', uptimeMs: 20 });
    clock.time = 300;
    buffer.hold('a', 'mqtt', { boot: 'one', uptimeMs: 310 });
    clock.time = 500;
    await buffer.flush();
    expect(written).toEqual([
      [
        { deviceId: 'a', link: 'mqtt', boot: 'one', uptimeMs: 310, ageMs: 200 },
        { deviceId: 'b', link: 'mqtt', boot: 'two', uptimeMs: 20, ageMs: 500 },
      ],
    ]);
  });

  it('keeps an uptime that fell, so that it is seen', async () => {
    const { buffer, written } = build();
    buffer.hold('a', 'mqtt', { boot: 'one', uptimeMs: 2 ** 32 - 1 });
    buffer.hold('a', 'mqtt', { boot: 'one', uptimeMs: 40 });
    await buffer.flush();
    expect(written.flat().map(({ uptimeMs }) => uptimeMs)).toEqual([40]);
  });

  it('keeps the higher uptime of one boot, and the later boot', async () => {
    const { buffer, written } = build();
    buffer.hold('a', 'mqtt', { boot: 'one', uptimeMs: 500 });
    buffer.hold('a', 'mqtt', { boot: 'one', uptimeMs: 400 });
    buffer.hold('b', 'mqtt', { boot: 'one', uptimeMs: 500 });
    buffer.hold('b', 'mqtt', { boot: 'two', uptimeMs: 4 });
    await buffer.flush();
    expect(written.flat().map(({ boot, uptimeMs }) => [boot, uptimeMs])).toEqual([
      ['one', 500],
      ['two', 4],
    ]);
  });

  it('keeps an uptime when a heartbeat without one follows', async () => {
    const { buffer, written } = build();
    buffer.hold('a', 'mqtt', { boot: 'one', battery: 7 });
    buffer.hold('a', 'mqtt', { boot: 'one', uptimeMs: 500 });
    buffer.hold('a', 'mqtt', { boot: 'one' });
    await buffer.flush();
    expect(written.flat().map(({ uptimeMs }) => uptimeMs)).toEqual([500]);
  });

  it('writes at once when 500 devices are held, in batches of 500', async () => {
    const { buffer, written } = build();
    holdMany(buffer, 499);
    await turns(3);
    expect(written).toEqual([]);
    holdMany(buffer, 1_200);
    await turns(9);
    expect(written.map((batch) => batch.length)).toEqual([500, 500, 200]);
  });

  it('drops and counts heartbeats when 50,000 devices are held', async () => {
    const { buffer, written, metrics } = build();
    holdMany(buffer, 50_003);
    await buffer.flush();
    expect(written.flat()).toHaveLength(50_000);
    const { values } = await metrics.counter('mortise_heartbeats_dropped_total', '').get();
    expect(values.map(({ value }) => value)).toEqual([3]);
  });

  it('writes the next batch after one that failed', async () => {
    const { buffer, write, written, reopen } = build();
    buffer.onFlush(() => Promise.reject(new Error('The database is away.')), reopen);
    buffer.hold('a', 'mqtt', { boot: 'one', uptimeMs: 1 });
    await buffer.flush();
    buffer.onFlush(write, reopen);
    buffer.hold('a', 'mqtt', { boot: 'one', uptimeMs: 2 });
    await buffer.flush();
    expect(written.flat().map(({ uptimeMs }) => uptimeMs)).toEqual([2]);
  });

  it('opens a few links at a time, and writes others meanwhile', async () => {
    const { buffer, written, reopen } = build();
    reopen.mockReturnValue(new Promise(() => undefined));
    ['a', 'b', 'c'].forEach((id) => {
      buffer.hold(id, 'mqtt', { boot: 'unlinked' });
    });
    void buffer.flush();
    await turns(6);
    expect([written.length, reopen.mock.calls.length]).toEqual([1, 2]);
    buffer.hold('d', 'mqtt', { boot: 'one' });
    void buffer.flush();
    await turns(6);
    expect(written.flat().map(({ deviceId }) => deviceId)).toEqual(['a', 'b', 'c', 'd']);
  });
});

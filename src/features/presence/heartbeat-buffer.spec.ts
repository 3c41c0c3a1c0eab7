import { describe, expect, it, jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import { Metrics } from '../../platform/metrics/metrics.js';
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
  const buffer = new HeartbeatBuffer(
    clock,
    { setContext: jest.fn(), warn: jest.fn() } as unknown as PinoLogger,
    new Metrics(),
  );
  const written: HeldHeartbeat[][] = [];
  buffer.onFlush((beats) => {
    written.push([...beats]);
    return Promise.resolve();
  });
  return { clock, buffer, written };
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

  it('keeps the later uptime of one start, and the later start', async () => {
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

  it('writes at once when 500 devices are held, in batches of 500', async () => {
    const { buffer, written } = build();
    for (let index = 0; index < 1_200; index++) {
      buffer.hold(`device-${String(index)}`, 'mqtt', { boot: 'one', uptimeMs: 1 });
    }
    await buffer.flush();
    expect(written.map((batch) => batch.length)).toEqual([500, 500, 200]);
  });

  it('goes on after a batch that failed', async () => {
    const { buffer, written } = build();
    buffer.onFlush(() => Promise.reject(new Error('The database is away.')));
    buffer.hold('a', 'mqtt', { boot: 'one', uptimeMs: 1 });
    await buffer.flush();
    buffer.onFlush((beats) => {
      written.push([...beats]);
      return Promise.resolve();
    });
    buffer.hold('a', 'mqtt', { boot: 'one', uptimeMs: 2 });
    await buffer.flush();
    expect(written.flat().map(({ uptimeMs }) => uptimeMs)).toEqual([2]);
  });
});

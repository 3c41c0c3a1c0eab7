import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { MqttClient } from 'mqtt';
import type { PinoLogger } from 'nestjs-pino';
import type { Clock } from '../../../shared/clock.js';
import { Metrics } from '../../metrics/metrics.js';
import { EvictionRegistry } from './eviction-registry.js';

interface Line {
  readonly evictions: number;
  readonly connection: string;
  readonly sign: string;
}

function build() {
  let now = 0;
  const lines: Line[] = [];
  const metrics = new Metrics();
  const clock = { monotonic: () => now } as Clock;
  const logger = { setContext: () => undefined, error: (line: Line) => lines.push(line) } as unknown as PinoLogger;
  const registry = new EvictionRegistry(clock, logger, metrics);
  const client = Object.assign(new EventEmitter(), { disconnecting: false });
  registry.watch('line', client as unknown as MqttClient);
  /** A connection that stands for so long; it ends without a word unless told otherwise. */
  const connection = (forMs: number, reasonCode?: number): void => {
    client.emit('connect');
    now += forMs;
    if (reasonCode !== undefined) {
      client.emit('disconnect', { reasonCode });
    }
    client.emit('close');
  };
  const times = (count: number, run: () => void): void => {
    Array.from({ length: count }).forEach(run);
  };
  const wait = (ms: number): number => (now += ms);
  return { registry, client, lines, metrics, connection, times, wait };
}

const TAKEN_OVER = 0x8e;
const SHUTTING_DOWN = 0x8b;

describe('EvictionRegistry', () => {
  it('takes the second and third takeover within a minute for a loop, and says so once a minute', async () => {
    const { registry, lines, metrics, connection, times, wait } = build();
    times(2, () => {
      connection(100, TAKEN_OVER);
    });
    expect([registry.loop, lines]).toEqual([null, []]);
    connection(100, TAKEN_OVER);
    const loop = { connection: 'line', sign: 'session_taken_over' };
    expect(registry.loop).toMatchObject(loop);
    times(500, () => {
      connection(100, TAKEN_OVER);
    });
    expect(lines).toEqual([{ ...loop, evictions: 3 }]);
    wait(10_000);
    connection(100, TAKEN_OVER);
    expect(lines).toEqual([
      { ...loop, evictions: 3 },
      { ...loop, evictions: 501 },
    ]);
    const series = 'mortise_mqtt_evictions_total{connection="line",sign="session_taken_over"} 504';
    expect(await metrics.render()).toContain(series);
  });

  it('is over a minute after the last but two', () => {
    const { registry, connection, times, wait } = build();
    times(3, () => {
      connection(20_000, TAKEN_OVER);
    });
    expect(registry.loop).not.toBeNull();
    wait(20_000);
    expect(registry.loop).toBeNull();
  });

  it('knows a broker that says nothing by connections that end as soon as they stand', () => {
    const { registry, connection, times } = build();
    times(6, () => {
      connection(1_999);
    });
    expect(registry.loop).toBeNull();
    connection(1_999);
    expect(registry.loop).toMatchObject({ connection: 'line', sign: 'ends_at_once' });
  });

  it('takes neither a broker that goes down, nor a process that stops, nor attempts that failed, for an eviction', () => {
    const { registry, client, connection, times } = build();
    for (let round = 0; round < 5; round++) {
      times(4, () => {
        connection(10, SHUTTING_DOWN);
      });
      connection(2_000);
    }
    times(100, () => client.emit('close'));
    client.disconnecting = true;
    times(100, () => {
      connection(10);
    });
    expect(registry.loop).toBeNull();
  });
});

import { describe, expect, it, jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import { ReadinessRegistry } from '../health/readiness-registry.js';
import { Metrics } from '../metrics/metrics.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import type { RedisClients } from './redis-clients.js';
import { SignalBus } from './signal-bus.js';

const LOGGER = { setContext: jest.fn(), debug: jest.fn(), error: jest.fn() } as unknown as PinoLogger;
const AWAY = { app: { publish: () => Promise.reject(new Error('away')) } } as unknown as RedisClients;

const newSignals = (): SignalBus =>
  new SignalBus(AWAY, new LoopRegistry(new ReadinessRegistry(), new Metrics()), LOGGER);

describe('Signals while Redis is away', () => {
  it('still reach this process, after the caller has gone on', async () => {
    const signals = newSignals();
    const heard: string[] = [];
    signals.on('command_queued', ({ deviceId }) => heard.push(deviceId));
    signals.publish('command_queued', { deviceId: 'd1' });
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard).toEqual(['d1']);
  });

  it('end with the subscription, and survive a handler that throws', async () => {
    const signals = newSignals();
    const heard: string[] = [];
    const end = signals.on('device_revoked', () => heard.push('ended'));
    signals.on('device_revoked', () => {
      throw new Error('bad handler');
    });
    signals.on('device_revoked', () => heard.push('kept'));
    end();
    signals.publish('device_revoked', { deviceId: 'd1' });
    await Promise.resolve();
    expect(heard).toEqual(['kept']);
  });
});

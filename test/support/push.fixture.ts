import { afterEach, beforeEach } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule } from '../../src/config/config.module.js';
import { loadConfig } from '../../src/config/load-config.js';
import { ClockModule } from '../../src/platform/clock/clock.module.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { OutboundModule } from '../../src/platform/outbound/outbound.module.js';
import type { PushMessage } from '../../src/platform/push/push-message.js';
import { PushModule } from '../../src/platform/push/push.module.js';
import { Clock } from '../../src/shared/clock.js';
import { SetClock } from './set-clock.js';

const NEEDED = {
  NODE_ENV: 'test',
  DATABASE_URL: 'postgres://nowhere',
  REDIS_URL: 'redis://nowhere',
  MASTER_KEY: Buffer.alloc(32).toString('base64'),
};

export const MESSAGE: PushMessage = {
  id: '0197f2ab-7c1e-7d2a-9d3b-1a2b3c4d5e6f',
  title: 'Tür aufgebrochen',
  body: 'Haustür 🚪',
  url: 'https://doors.example.com/n/1',
  isUrgent: true,
  ttlS: 3_600,
  collapseKey: 'door_forced/1',
  data: { kind: 'door_forced' },
};
export const LONG: PushMessage = { ...MESSAGE, body: '🚪"'.repeat(5_000) };

/** The outcome of a message that was not sent: another attempt may go better, unless `part` says otherwise. */
export function failure(
  reason: string,
  part: { isPermanent?: boolean; isTargetGone?: boolean; retryAfterMs?: number | null } = {},
): object {
  return { sent: false, reason, isPermanent: false, isTargetGone: false, retryAfterMs: null, ...part };
}

export function gone(reason: string): object {
  return failure(reason, { isPermanent: true, isTargetGone: true });
}

export interface PushRig {
  readonly clock: SetClock;
  /** The clients with these settings, until the end of the test. */
  readonly clientsWith: (settings: Record<string, string>) => Promise<TestingModule>;
}

export function pushRig(): PushRig {
  const clock = new SetClock();
  const modules: TestingModule[] = [];
  beforeEach(() => {
    clock.aheadMs = 0;
  });
  afterEach(async () => {
    await Promise.all(modules.splice(0).map((module) => module.close()));
  });
  return {
    clock,
    clientsWith: async (settings) => {
      const config = loadConfig({ ...NEEDED, OUTBOUND_ALLOWED_NETWORKS: '127.0.0.1/32', ...settings });
      const module = await Test.createTestingModule({
        imports: [ConfigModule.with(config), ClockModule, MetricsModule, OutboundModule, PushModule],
      })
        .overrideProvider(Clock)
        .useValue(clock)
        .compile();
      await module.init();
      modules.push(module);
      return module;
    },
  };
}

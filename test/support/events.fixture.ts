import type { Type } from '@nestjs/common';
import type { NewEvent, StoredEvent } from '../../src/contracts/events.js';
import { ClockModule } from '../../src/platform/clock/clock.module.js';
import { EventsModule } from '../../src/platform/events/events.module.js';
import { LiveFeed } from '../../src/platform/events/live-feed.js';
import { ReadinessModule } from '../../src/platform/health/readiness.module.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { PrismaModule } from '../../src/platform/prisma/prisma.module.js';
import { RedisModule } from '../../src/platform/redis/redis.module.js';
import { SchedulingModule } from '../../src/platform/scheduling/scheduling.module.js';
import { TestApp } from './test-app.js';
import { eventually } from './wait.js';

interface EventLogOptions {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly modules?: readonly Type[];
  /** What this process does besides writing, such as the relay. */
  readonly edges?: readonly Type[];
  /** Settings that differ from those of tests. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The event log of one process without the rest of the application, so that no other reader or relay takes part. */
export function startEventLog({
  databaseUrl,
  redisUrl,
  modules = [],
  edges = [],
  env = {},
}: EventLogOptions): Promise<TestApp> {
  return TestApp.start({
    env: { ...env, DATABASE_URL: databaseUrl, REDIS_URL: redisUrl },
    only: {
      modules: [
        ReadinessModule,
        SchedulingModule,
        PrismaModule,
        RedisModule,
        MetricsModule,
        ClockModule,
        EventsModule,
        ...modules,
      ],
      providers: edges,
    },
  });
}

/** A list that grows by everything the live feed delivers from now on. */
export async function liveEvents(app: TestApp): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  const feed = app.get(LiveFeed);
  feed.subscribe((event) => events.push(event), 'test');
  await eventually('the feed has started', () => feed.cursor !== null);
  return events;
}

/** An event that carries nothing but a number. */
export function numbered(n: number, deviceId?: string): NewEvent {
  return {
    type: 'custom',
    payload: { n },
    source: 'system',
    actor: 'system',
    ...(deviceId !== undefined && { deviceId }),
  };
}

export function numbersOf(events: readonly StoredEvent[]): unknown[] {
  return events.map((event) => (event.payload as { n?: unknown }).n);
}

export function upTo(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

import { randomBytes } from 'node:crypto';
import { type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ConfigModule } from '../../src/config/config.module.js';
import { loadConfig } from '../../src/config/load-config.js';
import type { NewEvent, StoredEvent } from '../../src/contracts/events.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { EventsModule } from '../../src/platform/events/events.module.js';
import { LiveFeed } from '../../src/platform/events/live-feed.js';
import { LoggingModule } from '../../src/platform/logging/logging.module.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { PrismaModule } from '../../src/platform/prisma/prisma.module.js';
import { Transactions } from '../../src/platform/prisma/transaction.js';
import { ClockModule } from '../../src/platform/clock/clock.module.js';
import { RateLimitModule } from '../../src/platform/rate-limit/rate-limit.module.js';
import { ReadinessModule } from '../../src/platform/health/readiness.module.js';
import { RedisModule } from '../../src/platform/redis/redis.module.js';
import { waitUntil } from '../../tools/stack/wait-until.js';

export interface EventNodeOptions {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** What this process does besides writing: its edges. */
  readonly edges?: readonly Type[];
  readonly modules?: readonly Type[];
}

/** One process of the application, as far as the event log goes. */
export class EventNode {
  private constructor(private readonly module: Awaited<ReturnType<typeof compile>>) {}

  static async start(options: EventNodeOptions): Promise<EventNode> {
    const module = await compile(options);
    try {
      await module.init();
    } catch (error) {
      await module.close();
      throw error;
    }
    return new EventNode(module);
  }

  get<T>(type: Type<T>): T {
    return this.module.get(type);
  }

  get log(): EventLog {
    return this.get(EventLog);
  }

  get transactions(): Transactions {
    return this.get(Transactions);
  }

  /** Everything the live feed delivers from now on. */
  async listen(): Promise<StoredEvent[]> {
    const heard: StoredEvent[] = [];
    const feed = this.get(LiveFeed);
    feed.subscribe((event) => heard.push(event), 'test');
    await eventually('the feed has started', () => feed.cursor !== null);
    return heard;
  }

  /** The value of one series, as Prometheus would scrape it. */
  async metric(series: string): Promise<number> {
    const line = (await this.get(Metrics).render()).split('\n').find((text) => text.startsWith(`${series} `));
    return line === undefined ? 0 : Number(line.slice(series.length));
  }

  stop(): Promise<void> {
    return this.module.close();
  }
}

function compile({ databaseUrl, redisUrl, edges = [], modules = [] }: EventNodeOptions) {
  const config = loadConfig({
    NODE_ENV: 'test',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    MASTER_KEY: randomBytes(32).toString('base64'),
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
  });
  return Test.createTestingModule({
    imports: [
      ConfigModule.with(config),
      LoggingModule.forRoot(),
      ReadinessModule,
      PrismaModule,
      RedisModule,
      MetricsModule,
      ClockModule,
      RateLimitModule,
      EventsModule,
      ...modules,
    ],
    providers: [...edges],
  }).compile();
}

/** Waits for a condition. Its failure names what did not happen. */
export function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<boolean> {
  return waitUntil(async () => condition(), {
    withinMs,
    everyMs: 10,
    otherwise: () => new Error(`It did not happen within ${String(withinMs)} ms that ${what}.`),
  });
}

/** A fact of no meaning but its number. */
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

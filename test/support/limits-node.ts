import { type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule } from '../../src/config/config.module.js';
import { loadConfig } from '../../src/config/load-config.js';
import { AUTH_RATE_LIMITS } from '../../src/features/auth/auth.rate-limits.js';
import { DEVICES_RATE_LIMITS } from '../../src/features/devices/devices.rate-limits.js';
import { USER_ADMIN_RATE_LIMITS } from '../../src/features/user-admin/user-admin.rate-limits.js';
import { ClockModule } from '../../src/platform/clock/clock.module.js';
import { ReadinessModule } from '../../src/platform/health/readiness.module.js';
import { LoggingModule } from '../../src/platform/logging/logging.module.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { PrismaModule } from '../../src/platform/prisma/prisma.module.js';
import { RateLimitModule } from '../../src/platform/rate-limit/rate-limit.module.js';
import { RateLimiter } from '../../src/platform/rate-limit/rate-limiter.js';
import { RedisClients } from '../../src/platform/redis/redis-clients.js';
import { RedisModule } from '../../src/platform/redis/redis.module.js';
import { eventually } from './wait.js';

/** One process of the application, as far as rate limits go. */
export class LimitsNode {
  private constructor(private readonly module: TestingModule) {}

  static async start(
    databaseUrl: string,
    redisUrl: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<LimitsNode> {
    const config = loadConfig({
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      MASTER_KEY: Buffer.alloc(32).toString('base64'),
      ...env,
    });
    const module = await Test.createTestingModule({
      imports: [
        ConfigModule.with(config),
        LoggingModule.forRoot(),
        ClockModule,
        MetricsModule,
        ReadinessModule,
        PrismaModule,
        RedisModule,
        RateLimitModule,
        RateLimitModule.forFeature({ ...AUTH_RATE_LIMITS, ...DEVICES_RATE_LIMITS, ...USER_ADMIN_RATE_LIMITS }),
      ],
    }).compile();
    await module.init();
    const node = new LimitsNode(module);
    await eventually('Redis is there', () => node.redisIsThere);
    return node;
  }

  get<T>(type: Type<T>): T {
    return this.module.get(type, { strict: false });
  }

  get limits(): RateLimiter {
    return this.get(RateLimiter);
  }

  get redisIsThere(): boolean {
    return this.get(RedisClients).app.status === 'ready';
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

import type { Type } from '@nestjs/common';
import { AUTH_RATE_LIMITS } from '../../src/features/auth/auth.rate-limits.js';
import { DEVICES_RATE_LIMITS } from '../../src/features/devices/devices.rate-limits.js';
import { USER_ADMIN_RATE_LIMITS } from '../../src/features/user-admin/user-admin.rate-limits.js';
import { ClockModule } from '../../src/platform/clock/clock.module.js';
import { ReadinessModule } from '../../src/platform/health/readiness.module.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { PrismaModule } from '../../src/platform/prisma/prisma.module.js';
import { RateLimitModule } from '../../src/platform/rate-limit/rate-limit.module.js';
import { RedisClients } from '../../src/platform/redis/redis-clients.js';
import { RedisModule } from '../../src/platform/redis/redis.module.js';
import { SchedulingModule } from '../../src/platform/scheduling/scheduling.module.js';
import { TestApp } from './test-app.js';
import { eventually } from './wait.js';

/** The rate limits of one process without the rest of the application. Settles when Redis can be asked. */
export async function startRateLimits(
  databaseUrl: string,
  redisUrl: string,
  env: Readonly<Record<string, string>> = {},
  providers: readonly Type[] = [],
): Promise<TestApp> {
  const app = await TestApp.start({
    env: { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, RATE_LIMIT_SCALE: '1', ...env },
    only: {
      modules: [
        ClockModule,
        MetricsModule,
        ReadinessModule,
        SchedulingModule,
        PrismaModule,
        RedisModule,
        RateLimitModule,
        RateLimitModule.forFeature({ ...AUTH_RATE_LIMITS, ...DEVICES_RATE_LIMITS, ...USER_ADMIN_RATE_LIMITS }),
      ],
      providers,
    },
  });
  await eventually('Redis is there', () => isRedisReady(app));
  return app;
}

export function isRedisReady(app: TestApp): boolean {
  return app.get(RedisClients).app.status === 'ready';
}

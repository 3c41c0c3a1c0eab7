import { Module } from '@nestjs/common';
import { AnalyticsModule } from '../features/analytics/analytics.module.js';
import { AuthModule } from '../features/auth/auth.module.js';
import { CommandsModule } from '../features/commands/commands.module.js';
import { DevicesModule } from '../features/devices/devices.module.js';
import { HealthController } from '../features/health/health.controller.js';
import { HealthModule } from '../features/health/health.module.js';
import { HistoryModule } from '../features/history/history.module.js';
import { RealtimeModule } from '../features/realtime/realtime.module.js';
import { UsersModule } from '../features/users/users.module.js';
import { AccessGuard } from '../platform/auth/access.guard.js';
import { AuthPlatformModule } from '../platform/auth/auth-platform.module.js';
import { ClockModule } from '../platform/clock/clock.module.js';
import { CryptoModule } from '../platform/crypto/crypto.module.js';
import { EventsModule } from '../platform/events/events.module.js';
import { ReadinessModule } from '../platform/health/readiness.module.js';
import { IdempotencyModule } from '../platform/idempotency/idempotency.module.js';
import { IdempotencyInterceptor } from '../platform/idempotency/idempotent.interceptor.js';
import { LoggingModule } from '../platform/logging/logging.module.js';
import { MetricsModule } from '../platform/metrics/metrics.module.js';
import { MqttModule } from '../platform/mqtt/mqtt.module.js';
import { PrismaModule } from '../platform/prisma/prisma.module.js';
import { RedisModule } from '../platform/redis/redis.module.js';

const PLATFORM = [
  LoggingModule.forRoot(),
  ClockModule,
  MetricsModule,
  ReadinessModule,
  PrismaModule,
  RedisModule,
  CryptoModule,
  MqttModule,
  AuthPlatformModule,
  EventsModule,
  IdempotencyModule,
];

const FEATURES = [
  UsersModule,
  AuthModule,
  DevicesModule,
  HistoryModule,
  CommandsModule,
  AnalyticsModule,
  RealtimeModule,
  HealthModule,
];

/** What every role has: the platform, every feature's services, and health. All other edges belong to the roles. */
@Module({
  imports: [...PLATFORM, ...FEATURES],
  controllers: [HealthController],
  providers: [AccessGuard, IdempotencyInterceptor],
  exports: [...PLATFORM, ...FEATURES],
})
export class CoreModule {}

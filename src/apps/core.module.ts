import { Module } from '@nestjs/common';
import { AnalyticsModule } from '../features/analytics/analytics.module.js';
import { AuditModule } from '../features/audit/audit.module.js';
import { AuthModule } from '../features/auth/auth.module.js';
import { CommandsModule } from '../features/commands/commands.module.js';
import { DevicesModule } from '../features/devices/devices.module.js';
import { HealthController } from '../features/health/health.controller.js';
import { HealthModule } from '../features/health/health.module.js';
import { HistoryModule } from '../features/history/history.module.js';
import { OrganizationsModule } from '../features/organizations/organizations.module.js';
import { RealtimeModule } from '../features/realtime/realtime.module.js';
import { UsersModule } from '../features/users/users.module.js';
import { AccessGuard } from '../platform/auth/access.guard.js';
import { AuditInterceptor } from '../platform/audit/audit.interceptor.js';
import { AuditPlatformModule } from '../platform/audit/audit.module.js';
import { AuthPlatformModule } from '../platform/auth/auth-platform.module.js';
import { ClockModule } from '../platform/clock/clock.module.js';
import { CryptoModule } from '../platform/crypto/crypto.module.js';
import { KeyRotationModule } from '../platform/keys/key-rotation.module.js';
import { EventsModule } from '../platform/events/events.module.js';
import { ReadinessModule } from '../platform/health/readiness.module.js';
import { IdempotencyModule } from '../platform/idempotency/idempotency.module.js';
import { IdempotencyInterceptor } from '../platform/idempotency/idempotent.interceptor.js';
import { LoggingModule } from '../platform/logging/logging.module.js';
import { MailModule } from '../platform/mail/mail.module.js';
import { MetricsModule } from '../platform/metrics/metrics.module.js';
import { MqttModule } from '../platform/mqtt/mqtt.module.js';
import { PrismaModule } from '../platform/prisma/prisma.module.js';
import { RateLimitModule } from '../platform/rate-limit/rate-limit.module.js';
import { RedisModule } from '../platform/redis/redis.module.js';

const PLATFORM = [
  LoggingModule.forRoot(),
  ClockModule,
  MetricsModule,
  ReadinessModule,
  PrismaModule,
  RedisModule,
  CryptoModule,
  KeyRotationModule,
  MqttModule,
  AuthPlatformModule,
  EventsModule,
  IdempotencyModule,
  RateLimitModule,
  AuditPlatformModule,
  MailModule,
];

const FEATURES = [
  UsersModule,
  AuthModule,
  OrganizationsModule,
  DevicesModule,
  HistoryModule,
  CommandsModule,
  AnalyticsModule,
  AuditModule,
  RealtimeModule,
  HealthModule,
];

/** What every role has: the platform, every feature's services, and health. All other edges belong to the roles. */
@Module({
  imports: [...PLATFORM, ...FEATURES],
  controllers: [HealthController],
  providers: [AccessGuard, AuditInterceptor, IdempotencyInterceptor],
  exports: [...PLATFORM, ...FEATURES],
})
export class CoreModule {}

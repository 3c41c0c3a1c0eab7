import type { DynamicModule, Type } from '@nestjs/common';
import { AdoptionModule } from '../platform/adoption/adoption.module.js';
import { AuditPlatformModule } from '../platform/audit/audit-platform.module.js';
import { AuthPlatformModule } from '../platform/auth/auth-platform.module.js';
import { CacheInvalidationSweeper } from '../platform/cache/cache-invalidation-sweeper.js';
import { CacheModule } from '../platform/cache/cache.module.js';
import { ClockModule } from '../platform/clock/clock.module.js';
import { CryptoModule } from '../platform/crypto/crypto.module.js';
import { DurableReaderScheduler } from '../platform/events/durable-reader-scheduler.js';
import { EventPartitionsScheduler } from '../platform/events/partitions/event-partitions-scheduler.js';
import { EventsModule } from '../platform/events/events.module.js';
import { FeedRelay } from '../platform/events/feed-relay.js';
import { ReadinessModule } from '../platform/health/readiness.module.js';
import { AdmissionModule } from '../platform/http/admission/admission.module.js';
import { IdempotencyModule } from '../platform/idempotency/idempotency.module.js';
import { KeyMetrics } from '../platform/keys/key-metrics.js';
import { KeyRotationJob } from '../platform/keys/key-rotation-job.js';
import { KeyRotationModule } from '../platform/keys/key-rotation.module.js';
import { LoggingModule } from '../platform/logging/logging.module.js';
import { MailDeliveryService } from '../platform/mail/mail-delivery.service.js';
import { MailMetrics } from '../platform/mail/mail-metrics.js';
import { MailSweeper } from '../platform/mail/mail-sweeper.js';
import { MailModule } from '../platform/mail/mail.module.js';
import { MetricsModule } from '../platform/metrics/metrics.module.js';
import { brokerEdges } from '../platform/mqtt/broker-edges.js';
import { deviceRequestEdges } from '../platform/mqtt/requests/device-request-edges.js';
import { MqttModule } from '../platform/mqtt/mqtt.module.js';
import { OutboundModule } from '../platform/outbound/outbound.module.js';
import { PrismaModule } from '../platform/prisma/prisma.module.js';
import { JobScheduler } from '../platform/queue/job-scheduler.js';
import { DeadLettersModule } from '../platform/queue/dead-letters.module.js';
import { QUEUE_PROCESSORS } from '../platform/queue/queue-processors.js';
import { QueueInspectionModule } from '../platform/queue/queue-inspection.module.js';
import { QueueMetrics } from '../platform/queue/queue-metrics.js';
import { QueueModule } from '../platform/queue/queue.module.js';
import { RateLimitModule } from '../platform/rate-limit/rate-limit.module.js';
import { SocketAnswerInterceptor } from '../platform/realtime/socket-answer.interceptor.js';
import { deviceSocketEdges } from '../platform/realtime/devices/device-socket-edges.js';
import { DeviceSocketsModule } from '../platform/realtime/devices/device-sockets.module.js';
import { RedisModule } from '../platform/redis/redis.module.js';
import { PurgeAuditJob, PURGE_AUDIT } from '../platform/scheduling/purge-audit-job.js';
import { PurgeJob } from '../platform/scheduling/purge-job.js';
import { SchedulingModule } from '../platform/scheduling/scheduling.module.js';
import { StorageModule } from '../platform/storage/storage.module.js';
import { UnfinishedFileSweeper } from '../platform/storage/unfinished-file-sweeper.js';
import type { FeatureEdges } from '../platform/roles/feature-edges.js';

/** The technology that every role has. */
export const PLATFORM_MODULES: readonly (Type | DynamicModule)[] = [
  LoggingModule.forRoot(),
  ClockModule,
  MetricsModule,
  ReadinessModule,
  SchedulingModule,
  PrismaModule,
  AdmissionModule,
  RedisModule,
  CryptoModule,
  KeyRotationModule,
  MqttModule,
  DeviceSocketsModule,
  AuthPlatformModule,
  EventsModule,
  CacheModule,
  IdempotencyModule,
  RateLimitModule,
  AuditPlatformModule,
  AuditPlatformModule.forFeature(PURGE_AUDIT),
  AdoptionModule,
  DeadLettersModule,
  MailModule,
  StorageModule,
  OutboundModule,
];

/** The modules of one role alone. */
export const ROLE_MODULES = { api: [QueueInspectionModule], hardware: [], worker: [QueueModule] } as const;

/** What of the platform runs in certain roles: the broker or its client, the ways out of the event log, the files, the jobs. */
export const PLATFORM_EDGES = {
  api: [
    SocketAnswerInterceptor,
    CacheInvalidationSweeper,
    EventPartitionsScheduler,
    UnfinishedFileSweeper,
    ...deviceRequestEdges,
  ],
  hardware: [...brokerEdges, ...deviceSocketEdges, EventPartitionsScheduler],
  worker: [
    FeedRelay,
    DurableReaderScheduler,
    EventPartitionsScheduler,
    UnfinishedFileSweeper,
    PurgeJob,
    PurgeAuditJob,
    KeyRotationJob,
    KeyMetrics,
    MailMetrics,
    QueueMetrics,
    MailDeliveryService,
    MailSweeper,
    ...QUEUE_PROCESSORS,
    JobScheduler,
  ],
} satisfies FeatureEdges;

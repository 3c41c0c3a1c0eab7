// A worker of its own: the relay of the live feed and the durable readers, to be killed. Runs what was built.
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule } from '../../dist/src/config/config.module.js';
import { loadConfig } from '../../dist/src/config/load-config.js';
import { CountingModule } from '../../dist/src/features/analytics/counting/counting.module.js';
import { ClockModule } from '../../dist/src/platform/clock/clock.module.js';
import { DurableReaderScheduler } from '../../dist/src/platform/events/durable-reader-scheduler.js';
import { EventsModule } from '../../dist/src/platform/events/events.module.js';
import { FeedRelay } from '../../dist/src/platform/events/feed-relay.js';
import { ReadinessModule } from '../../dist/src/platform/health/readiness.module.js';
import { LoggingModule } from '../../dist/src/platform/logging/logging.module.js';
import { MetricsModule } from '../../dist/src/platform/metrics/metrics.module.js';
import { PrismaModule } from '../../dist/src/platform/prisma/prisma.module.js';
import { RateLimitModule } from '../../dist/src/platform/rate-limit/rate-limit.module.js';
import { RedisModule } from '../../dist/src/platform/redis/redis.module.js';
import { SchedulingModule } from '../../dist/src/platform/scheduling/scheduling.module.js';

function WorkerProcess() {
  // Only holds the modules together.
}
Module({
  imports: [
    ConfigModule.with(loadConfig(process.env)),
    LoggingModule.forRoot(),
    ReadinessModule,
    SchedulingModule,
    PrismaModule,
    RedisModule,
    MetricsModule,
    ClockModule,
    RateLimitModule,
    EventsModule,
    CountingModule,
  ],
  providers: [FeedRelay, DurableReaderScheduler],
})(WorkerProcess);

// Its parent holds its standard input: it does not outlive the test.
process.stdin.resume().once('end', () => process.exit(0));
await NestFactory.createApplicationContext(WorkerProcess, { logger: false, abortOnError: false });
process.stdout.write('ready\n');

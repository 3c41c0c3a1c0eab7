// A worker of its own that purges blocked addresses and tells the audit trail of it without a pause, to be killed. Runs what was built.
import { setTimeout as pause } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule } from '../../dist/src/config/config.module.js';
import { loadConfig } from '../../dist/src/config/load-config.js';
import { AuditPlatformModule } from '../../dist/src/platform/audit/audit-platform.module.js';
import { ClockModule } from '../../dist/src/platform/clock/clock.module.js';
import { ReadinessModule } from '../../dist/src/platform/health/readiness.module.js';
import { LoggingModule } from '../../dist/src/platform/logging/logging.module.js';
import { MetricsModule } from '../../dist/src/platform/metrics/metrics.module.js';
import { PrismaModule } from '../../dist/src/platform/prisma/prisma.module.js';
import { JobRegistry } from '../../dist/src/platform/queue/job-registry.js';
import { RateLimitModule } from '../../dist/src/platform/rate-limit/rate-limit.module.js';
import { RedisModule } from '../../dist/src/platform/redis/redis.module.js';
import { PurgeAuditJob } from '../../dist/src/platform/scheduling/purge-audit-job.js';
import { PurgeJob } from '../../dist/src/platform/scheduling/purge-job.js';
import { SchedulingModule } from '../../dist/src/platform/scheduling/scheduling.module.js';

function PurgeProcess() {
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
    AuditPlatformModule,
  ],
  providers: [JobRegistry, PurgeJob, PurgeAuditJob],
})(PurgeProcess);

const worker = await NestFactory.createApplicationContext(PurgeProcess, { logger: false, abortOnError: false });
process.stdout.write('ready\n');
for (;;) {
  for (const job of ['purge_blocked_addresses', 'audit_purged_rows']) {
    // As the queue does: what failed is tried again in its next run.
    await worker
      .get(JobRegistry)
      .get(job)({})
      .catch((error) => process.stdout.write(`${String(error)}\n`));
  }
  await pause(5);
}

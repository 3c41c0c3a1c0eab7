import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { JOBS_AUDIT } from './jobs.audit.js';
import { JobsService } from './jobs.service.js';

/** Administration of the queues: what they hold, and work that was given up. */
@Module({
  imports: [AuditPlatformModule.forFeature(JOBS_AUDIT)],
  providers: [JobsService],
  exports: [JobsService],
})
export class JobsModule {}

import { Global, Module } from '@nestjs/common';
import { AuditFailures } from './audit-failures.js';
import { AuditLog } from './audit-log.js';
import { AuditTrail } from './audit-trail.js';

@Global()
@Module({ providers: [AuditTrail, AuditLog, AuditFailures], exports: [AuditTrail, AuditLog, AuditFailures] })
export class AuditPlatformModule {}

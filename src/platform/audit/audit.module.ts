import { Global, Module } from '@nestjs/common';
import { AuditFailures } from './audit-failure-writer.js';
import { AuditLog } from './audit-reader.js';
import { AuditTrail } from './audit-writer.js';

@Global()
@Module({ providers: [AuditTrail, AuditLog, AuditFailures], exports: [AuditTrail, AuditLog, AuditFailures] })
export class AuditPlatformModule {}

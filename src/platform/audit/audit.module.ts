import { Global, Module } from '@nestjs/common';
import { AuditLog } from './audit-log.js';
import { AuditTrail } from './audit-trail.js';

@Global()
@Module({ providers: [AuditTrail, AuditLog], exports: [AuditTrail, AuditLog] })
export class AuditPlatformModule {}

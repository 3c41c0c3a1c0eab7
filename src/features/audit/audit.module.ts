import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { AUDIT_AUDIT } from './audit.audit.js';
import { AuditService } from './audit.service.js';

@Module({ imports: [AuditPlatformModule.forFeature(AUDIT_AUDIT)], providers: [AuditService], exports: [AuditService] })
export class AuditModule {}

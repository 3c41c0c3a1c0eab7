import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { BLOCKED_IPS_AUDIT } from './blocked-ips.audit.js';
import { BlockedIpsService } from './blocked-ips.service.js';

/** Administration of IP addresses that exceeded a rate limit too often. */
@Module({
  imports: [AuditPlatformModule.forFeature(BLOCKED_IPS_AUDIT)],
  providers: [BlockedIpsService],
  exports: [BlockedIpsService],
})
export class BlockedIpsModule {}

import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { SIGNING_KEYS_AUDIT } from './signing-keys.audit.js';
import { SigningKeysService } from './signing-keys.service.js';

/** The keys that sign access tokens and orders: administration, and the public half of them. */
@Module({
  imports: [AuditPlatformModule.forFeature(SIGNING_KEYS_AUDIT)],
  providers: [SigningKeysService],
  exports: [SigningKeysService],
})
export class SigningKeysModule {}

import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { UserAdminModule } from '../user-admin/user-admin.module.js';
import { UsersModule } from '../users/users.module.js';
import { ACCOUNT_AUDIT } from './account.audit.js';
import { AccountService } from './account.service.js';
import { PreferencesRepository } from './preferences.repository.js';
import { PreferencesService } from './preferences.service.js';
import { ACCOUNT_RATE_LIMITS } from './account.rate-limits.js';

/** What people do to their own account: everything at `/users/me`. */
@Module({
  imports: [
    UsersModule,
    AuthModule,
    UserAdminModule,
    RateLimitModule.forFeature(ACCOUNT_RATE_LIMITS),
    AuditPlatformModule.forFeature(ACCOUNT_AUDIT),
  ],
  providers: [AccountService, PreferencesService, PreferencesRepository],
  exports: [AccountService, PreferencesService],
})
export class AccountModule {}

import { Module } from '@nestjs/common';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { UserAdminModule } from '../user-admin/user-admin.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountService } from './account.service.js';
import { PreferencesRepository } from './preferences.repository.js';
import { PreferencesService } from './preferences.service.js';
import { ACCOUNT_RATE_LIMITS } from './account.rate-limits.js';

/** What people do to their own account: everything at `/users/me`. */
@Module({
  imports: [UsersModule, AuthModule, UserAdminModule, RateLimitModule.forFeature(ACCOUNT_RATE_LIMITS)],
  providers: [AccountService, PreferencesService, PreferencesRepository],
  exports: [AccountService, PreferencesService],
})
export class AccountModule {}

import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { UsersModule } from '../users/users.module.js';
import { USER_ADMIN_AUDIT } from './user-admin.audit.js';
import { AdminAuthorityService } from './admin-authority.service.js';
import { BulkUsersService } from './bulk-users.service.js';
import { PasswordResetService } from './password-reset.service.js';
import { UserAdminService } from './user-admin.service.js';
import { UsersImportService } from './users-import.service.js';
import { USER_ADMIN_RATE_LIMITS } from './user-admin.rate-limits.js';

/** What administrators do to accounts: everything at `/users` but `/users/me`. */
@Module({
  imports: [
    UsersModule,
    AuthModule,
    RateLimitModule.forFeature(USER_ADMIN_RATE_LIMITS),
    AuditPlatformModule.forFeature(USER_ADMIN_AUDIT),
  ],
  providers: [AdminAuthorityService, UserAdminService, BulkUsersService, UsersImportService, PasswordResetService],
  exports: [UserAdminService, BulkUsersService, UsersImportService, PasswordResetService],
})
export class UserAdminModule {}

import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { UsersModule } from '../users/users.module.js';
import { BulkUsersService } from './bulk-users.service.js';
import { PasswordResetService } from './password-reset.service.js';
import { UserAdminService } from './user-admin.service.js';
import { UsersImportService } from './users-import.service.js';

/** What administrators do to accounts: everything at `/users` but `/users/me`. */
@Module({
  imports: [UsersModule, AuthModule],
  providers: [UserAdminService, BulkUsersService, UsersImportService, PasswordResetService],
  exports: [UserAdminService, BulkUsersService, UsersImportService, PasswordResetService],
})
export class UserAdminModule {}

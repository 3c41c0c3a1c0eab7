import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { UsersModule } from '../users/users.module.js';
import { BulkUsersService } from './bulk-users.service.js';
import { UserAdminService } from './user-admin.service.js';
import { UsersImportService } from './users-import.service.js';

/** What administrators do to accounts: everything at `/users` but `/users/me`. */
@Module({
  imports: [UsersModule, AuthModule],
  providers: [UserAdminService, BulkUsersService, UsersImportService],
  exports: [UserAdminService, BulkUsersService, UsersImportService],
})
export class UserAdminModule {}

import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { UserAdminModule } from '../user-admin/user-admin.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountService } from './account.service.js';
import { PreferencesRepository } from './preferences.repository.js';
import { PreferencesService } from './preferences.service.js';

/** What people do to their own account: everything at `/users/me`. */
@Module({
  imports: [UsersModule, AuthModule, UserAdminModule],
  providers: [AccountService, PreferencesService, PreferencesRepository],
  exports: [AccountService, PreferencesService],
})
export class AccountModule {}

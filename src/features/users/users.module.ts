import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { AccountRemovalService } from './removal/account-removal.service.js';
import { AccountStandingService } from './account-standing.service.js';
import { USERS_AUDIT } from './users.audit.js';
import { DELETED_ACCOUNTS_PURGE } from './users.purge.js';
import { DeletedAccountsRepository } from './removal/deleted-accounts.repository.js';
import { UserDirectoryRepository } from './user-directory.repository.js';
import { UserDirectoryService } from './user-directory.service.js';
import { UserPasswordsRepository } from './user-passwords.repository.js';
import { UserPasswordsService } from './user-passwords.service.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [AuditPlatformModule.forFeature(USERS_AUDIT)],
  providers: [
    UsersService,
    UsersRepository,
    AccountStandingService,
    AccountRemovalService,
    DeletedAccountsRepository,
    DELETED_ACCOUNTS_PURGE,
    UserPasswordsService,
    UserPasswordsRepository,
    UserDirectoryService,
    UserDirectoryRepository,
  ],
  exports: [UsersService, AccountStandingService, AccountRemovalService, UserPasswordsService, UserDirectoryService],
})
export class UsersModule {}

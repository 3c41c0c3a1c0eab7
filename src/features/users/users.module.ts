import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit.module.js';
import { USERS_AUDIT } from './users.audit.js';
import { AccountHooks } from './account-hooks.js';
import { AccountsService } from './accounts.service.js';
import { UserDirectoryService } from './user-directory.service.js';
import { UserDirectoryRepository } from './user-directory.repository.js';
import { AccountsRepository } from './accounts.repository.js';
import { AddressCorrections } from './address-corrections.js';
import { UserPasswordsRepository } from './user-passwords.repository.js';
import { UserPasswordsService } from './user-passwords.service.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [AuditPlatformModule.forFeature(USERS_AUDIT)],
  providers: [
    UsersService,
    AccountHooks,
    UsersRepository,
    UserPasswordsService,
    UserPasswordsRepository,
    AccountsService,
    AccountsRepository,
    AddressCorrections,
    UserDirectoryService,
    UserDirectoryRepository,
  ],
  exports: [UsersService, UserDirectoryService],
})
export class UsersModule {}

import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { AccountStandingService } from './account-standing.service.js';
import { USERS_AUDIT } from './users.audit.js';
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
    UserPasswordsService,
    UserPasswordsRepository,
    UserDirectoryService,
    UserDirectoryRepository,
  ],
  exports: [UsersService, AccountStandingService, UserPasswordsService, UserDirectoryService],
})
export class UsersModule {}

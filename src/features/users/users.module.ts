import { Module } from '@nestjs/common';
import { AccountsService } from './accounts.service.js';
import { UserDirectoryService } from '../user-admin/user-directory.service.js';
import { UserDirectoryRepository } from '../user-admin/user-directory.repository.js';
import { AccountsRepository } from './accounts.repository.js';
import { AddressCorrections } from './address-corrections.js';
import { PreferencesService } from '../account/preferences.service.js';
import { PreferencesRepository } from '../account/preferences.repository.js';
import { UserPasswordsRepository } from './user-passwords.repository.js';
import { UserPasswordsService } from './user-passwords.service.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  providers: [
    UsersService,
    UsersRepository,
    UserPasswordsService,
    UserPasswordsRepository,
    AccountsService,
    AccountsRepository,
    AddressCorrections,
    UserDirectoryService,
    UserDirectoryRepository,
    PreferencesService,
    PreferencesRepository,
  ],
  exports: [UsersService, UserDirectoryService, PreferencesService],
})
export class UsersModule {}

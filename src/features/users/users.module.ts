import { Module } from '@nestjs/common';
import { AccountChanger } from './accounts.service.js';
import { AccountDirectory } from '../user-admin/user-directory.service.js';
import { AccountDirectoryRepository } from '../user-admin/user-directory.repository.js';
import { AccountsRepository } from './accounts.repository.js';
import { AddressCorrections } from './address-corrections.js';
import { PreferencesKeeper } from '../account/preferences.service.js';
import { PreferencesRepository } from '../account/preferences.repository.js';
import { UserPasswordsRepository } from './user-passwords.repository.js';
import { UserPasswords } from './user-passwords.service.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  providers: [
    UsersService,
    UsersRepository,
    UserPasswords,
    UserPasswordsRepository,
    AccountChanger,
    AccountsRepository,
    AddressCorrections,
    AccountDirectory,
    AccountDirectoryRepository,
    PreferencesKeeper,
    PreferencesRepository,
  ],
  exports: [UsersService, AccountDirectory, PreferencesKeeper],
})
export class UsersModule {}

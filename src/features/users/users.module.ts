import { Module } from '@nestjs/common';
import { AccountChanger } from './account-changer.js';
import { AccountDirectory } from './account-directory.js';
import { AccountDirectoryRepository } from './account-directory.repository.js';
import { AccountsRepository } from './accounts.repository.js';
import { AddressCorrections } from './address-corrections.js';
import { PreferencesKeeper } from './preferences-keeper.js';
import { PreferencesRepository } from './preferences.repository.js';
import { UserPasswordsRepository } from './user-passwords.repository.js';
import { UserPasswords } from './user-passwords.js';
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

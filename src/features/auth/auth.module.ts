import { Global, Module } from '@nestjs/common';
import { Authenticator } from '../../platform/auth/authenticator.js';
import { SessionGate } from '../../platform/auth/session-gate.js';
import { UsersModule } from '../users/users.module.js';
import { AccountAdministration } from './account-administration.js';
import { AccountHooks } from './account-hooks.js';
import { AccountBatch } from './account-batch.js';
import { AccountBatches } from './account-batches.js';
import { AccountEmail } from './account-email.js';
import { AccountImport } from './account-import.js';
import { AddressChanges } from './address-changes.js';
import { AuthService } from './auth.service.js';
import { BlockedAddressesService } from './blocked-addresses.service.js';
import { CachedSessionGate } from './cached-session-gate.js';
import { KnownDevices } from './known-devices.js';
import { LoginAlerts } from './login-alerts.js';
import { LoginAttempts } from './login-attempts.js';
import { LoginThrottle } from './login-throttle.js';
import { LoginThrottleRepository } from './login-throttle.repository.js';
import { LoginWindowsRepository } from './login-windows.repository.js';
import { Logins } from './logins.js';
import { MailAllowance } from './mail-allowance.js';
import { OneTimeTokens } from './one-time-tokens.js';
import { OneTimeTokensRepository } from './one-time-tokens.repository.js';
import { OwnAccount } from './own-account.js';
import { PasswordAdministration } from './password-administration.js';
import { PasswordChanges } from './password-changes.js';
import { PasswordRecovery } from './password-recovery.js';
import { PasswordsService } from './passwords.service.js';
import { Reauthentication } from './reauthentication.js';
import { Registration } from './registration.js';
import { SessionActivity } from './session-activity.js';
import { SessionAnswers } from './session-answers.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';
import { SigningKeysService } from './signing-keys.service.js';
import { StandingAccess } from './standing-access.js';

/** Global for one reason: the guard of every role asks who is there, and whether their session stands. */
@Global()
@Module({
  imports: [UsersModule],
  providers: [
    AccountAdministration,
    AccountHooks,
    AccountBatch,
    AccountBatches,
    AccountEmail,
    AccountImport,
    AddressChanges,
    AuthService,
    Authenticator,
    KnownDevices,
    LoginAlerts,
    LoginAttempts,
    LoginThrottle,
    LoginThrottleRepository,
    LoginWindowsRepository,
    Logins,
    MailAllowance,
    OneTimeTokens,
    OneTimeTokensRepository,
    OwnAccount,
    PasswordAdministration,
    PasswordChanges,
    PasswordRecovery,
    PasswordsService,
    Reauthentication,
    Registration,
    SessionsService,
    SessionsRepository,
    SessionActivity,
    SessionAnswers,
    SigningKeysService,
    StandingAccess,
    CachedSessionGate,
    BlockedAddressesService,
    { provide: SessionGate, useExisting: CachedSessionGate },
  ],
  exports: [
    AuthService,
    Authenticator,
    SessionGate,
    AccountAdministration,
    AccountBatches,
    AccountEmail,
    AccountImport,
    AddressChanges,
    OneTimeTokens,
    OneTimeTokensRepository,
    OwnAccount,
    LoginThrottleRepository,
    LoginWindowsRepository,
    PasswordAdministration,
    PasswordRecovery,
    PasswordsService,
    Registration,
    SigningKeysService,
    SessionsService,
    StandingAccess,
    BlockedAddressesService,
  ],
})
export class AuthModule {}

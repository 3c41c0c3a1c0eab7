import { Global, Module } from '@nestjs/common';
import { Authenticator } from '../../platform/auth/authenticator.js';
import { SessionGate } from '../../platform/auth/session-verifier.js';
import { UsersModule } from '../users/users.module.js';
import { AccountAdministration } from '../user-admin/user-admin.service.js';
import { AccountHooks } from '../user-admin/account-hooks.js';
import { AccountBatch } from '../user-admin/bulk-outcomes.js';
import { AccountBatches } from '../user-admin/bulk-users.service.js';
import { AccountEmail } from './email/account-email.js';
import { AccountImport } from '../user-admin/users-import.service.js';
import { AddressChanges } from './email/email-change.service.js';
import { AuthService } from './auth.service.js';
import { BlockedAddressesService } from '../blocked-ips/blocked-ips.service.js';
import { CachedSessionGate } from './sessions/session-cache.js';
import { KnownDevices } from './login/known-devices.service.js';
import { LoginAlerts } from './login/login-alerts.service.js';
import { LoginAttempts } from './login/login.service.js';
import { LoginThrottle } from './login/login-throttle.service.js';
import { LoginThrottleRepository } from './login/login-throttle.repository.js';
import { LoginWindowsRepository } from './login/login-windows.repository.js';
import { Logins } from './login/logins.js';
import { MailAllowance } from './email/email-quota.js';
import { OneTimeTokens } from './tokens/one-time-tokens.service.js';
import { OneTimeTokensRepository } from './tokens/one-time-tokens.repository.js';
import { OwnAccount } from '../account/account.service.js';
import { PasswordAdministration } from './passwords/password-reset.service.js';
import { PasswordChanges } from './passwords/password-change.service.js';
import { PasswordRecovery } from './passwords/password-recovery.service.js';
import { PasswordsService } from './passwords/passwords.service.js';
import { Reauthentication } from './login/reauthentication.service.js';
import { Registration } from './registration/registration.service.js';
import { SessionActivity } from './sessions/session-activity.service.js';
import { SessionAnswers } from './sessions/shared-session-cache.js';
import { SessionsRepository } from './sessions/sessions.repository.js';
import { SessionsService } from './sessions/sessions.service.js';
import { SigningKeysService } from '../signing-keys/signing-keys.service.js';
import { StandingAccess } from './sessions/access-revocation.service.js';

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

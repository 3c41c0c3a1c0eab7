import { Global, Module } from '@nestjs/common';
import { Authenticator } from '../../platform/auth/authenticator.js';
import { SessionVerifier } from '../../platform/auth/session-verifier.js';
import { UsersModule } from '../users/users.module.js';
import { UserAdminService } from '../user-admin/user-admin.service.js';
import { AccountHooks } from '../user-admin/account-hooks.js';
import { BulkOutcomes } from '../user-admin/bulk-outcomes.js';
import { BulkUsersService } from '../user-admin/bulk-users.service.js';
import { AccountEmail } from './email/account-email.js';
import { UsersImportService } from '../user-admin/users-import.service.js';
import { EmailChangeService } from './email/email-change.service.js';
import { AuthService } from './auth.service.js';
import { BlockedIpsService } from '../blocked-ips/blocked-ips.service.js';
import { SessionCache } from './sessions/session-cache.js';
import { KnownDevicesService } from './login/known-devices.service.js';
import { LoginAlertsService } from './login/login-alerts.service.js';
import { LoginService } from './login/login.service.js';
import { LoginThrottleService } from './login/login-throttle.service.js';
import { LoginThrottleRepository } from './login/login-throttle.repository.js';
import { LoginWindowsRepository } from './login/login-windows.repository.js';
import { Logins } from './login/logins.js';
import { EmailQuota } from './email/email-quota.js';
import { OneTimeTokensService } from './tokens/one-time-tokens.service.js';
import { OneTimeTokensRepository } from './tokens/one-time-tokens.repository.js';
import { AccountService } from '../account/account.service.js';
import { PasswordResetService } from './passwords/password-reset.service.js';
import { PasswordChangeService } from './passwords/password-change.service.js';
import { PasswordRecoveryService } from './passwords/password-recovery.service.js';
import { PasswordsService } from './passwords/passwords.service.js';
import { ReauthenticationService } from './login/reauthentication.service.js';
import { RegistrationService } from './registration/registration.service.js';
import { SessionActivityService } from './sessions/session-activity.service.js';
import { SharedSessionCache } from './sessions/shared-session-cache.js';
import { SessionsRepository } from './sessions/sessions.repository.js';
import { SessionsService } from './sessions/sessions.service.js';
import { SigningKeysService } from '../signing-keys/signing-keys.service.js';
import { AccessRevocationService } from './sessions/access-revocation.service.js';

/** Global for one reason: the guard of every role asks who is there, and whether their session stands. */
@Global()
@Module({
  imports: [UsersModule],
  providers: [
    UserAdminService,
    AccountHooks,
    BulkOutcomes,
    BulkUsersService,
    AccountEmail,
    UsersImportService,
    EmailChangeService,
    AuthService,
    Authenticator,
    KnownDevicesService,
    LoginAlertsService,
    LoginService,
    LoginThrottleService,
    LoginThrottleRepository,
    LoginWindowsRepository,
    Logins,
    EmailQuota,
    OneTimeTokensService,
    OneTimeTokensRepository,
    AccountService,
    PasswordResetService,
    PasswordChangeService,
    PasswordRecoveryService,
    PasswordsService,
    ReauthenticationService,
    RegistrationService,
    SessionsService,
    SessionsRepository,
    SessionActivityService,
    SharedSessionCache,
    SigningKeysService,
    AccessRevocationService,
    SessionCache,
    BlockedIpsService,
    { provide: SessionVerifier, useExisting: SessionCache },
  ],
  exports: [
    AuthService,
    Authenticator,
    SessionVerifier,
    UserAdminService,
    BulkUsersService,
    AccountEmail,
    UsersImportService,
    EmailChangeService,
    OneTimeTokensService,
    OneTimeTokensRepository,
    AccountService,
    LoginThrottleRepository,
    LoginWindowsRepository,
    PasswordResetService,
    PasswordRecoveryService,
    PasswordsService,
    RegistrationService,
    SigningKeysService,
    SessionsService,
    AccessRevocationService,
    BlockedIpsService,
  ],
})
export class AuthModule {}

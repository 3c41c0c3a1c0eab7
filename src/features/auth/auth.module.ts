import { Global, Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit.module.js';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { Authenticator } from '../../platform/auth/authenticator.js';
import { SessionVerifier } from '../../platform/auth/session-verifier.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { UsersModule } from '../users/users.module.js';
import { AUTH_EVENTS } from './auth.events.js';
import { LOGIN_THROTTLES_PURGE, ONE_TIME_TOKENS_PURGE } from './auth.purge.js';
import { AUTH_MAIL } from './auth.mail.js';
import { AUTH_AUDIT } from './auth.audit.js';
import { EmailRequestService } from './email/email-request.service.js';
import { EmailChangeService } from './email/email-change.service.js';
import { AuthService } from './auth.service.js';
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
import { AccessRevocationService } from './sessions/access-revocation.service.js';
import { AUTH_RATE_LIMITS } from './auth.rate-limits.js';

/** Global for one reason: the guard of every role asks who is there, and whether their session stands. */
@Global()
@Module({
  imports: [
    UsersModule,
    RateLimitModule.forFeature(AUTH_RATE_LIMITS),
    AuditPlatformModule.forFeature(AUTH_AUDIT),
    MailModule.forFeature(AUTH_MAIL),
    EventsModule.forFeature(AUTH_EVENTS),
  ],
  providers: [
    EmailRequestService,
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
    AccessRevocationService,
    SessionCache,
    { provide: SessionVerifier, useExisting: SessionCache },
    LOGIN_THROTTLES_PURGE,
    ONE_TIME_TOKENS_PURGE,
  ],
  exports: [
    AuthService,
    Authenticator,
    SessionVerifier,
    EmailRequestService,
    EmailChangeService,
    OneTimeTokensService,
    OneTimeTokensRepository,
    LoginThrottleRepository,
    LoginWindowsRepository,
    PasswordResetService,
    PasswordRecoveryService,
    PasswordsService,
    ReauthenticationService,
    RegistrationService,
    SessionsService,
    AccessRevocationService,
  ],
})
export class AuthModule {}

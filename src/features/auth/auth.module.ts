import { Global, Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { Authenticator } from '../../platform/auth/authenticator.js';
import { SessionVerifier } from '../../platform/auth/session-verifier.js';
import { TicketAuthenticator } from '../../platform/auth/tickets/ticket-authenticator.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { UsersModule } from '../users/users.module.js';
import { ONE_TIME_TOKENS_ADOPTION, SESSIONS_ADOPTION } from './auth.adoption.js';
import { AUTH_EVENTS } from './auth.events.js';
import { AUTH_PURGES } from './auth.purge.js';
import { AUTH_MAIL } from './auth.mail.js';
import { AUTH_AUDIT } from './auth.audit.js';
import { EmailChangeService } from './email/email-change.service.js';
import { EmailQuotaService } from './email/email-quota.service.js';
import { KnownDevicesService } from './login/known-devices.service.js';
import { LoginAlertsService } from './login/login-alerts.service.js';
import { LoginThrottleRepository } from './login/login-throttle.repository.js';
import { LoginWindowsRepository } from './login/login-windows.repository.js';
import { ProofVerifier } from './login/proof-verifier.js';
import { NewClientsRepository } from './login/new-clients.repository.js';
import { LoginService } from './login/login.service.js';
import { ReauthenticationService } from './login/reauthentication.service.js';
import { PasswordChangeService } from './passwords/password-change.service.js';
import { PasswordRecoveryService } from './passwords/password-recovery.service.js';
import { PasswordsService } from './passwords/passwords.service.js';
import { UnlockRestrictionService } from './passwords/unlock-restriction.service.js';
import { UnlockRestrictionsRepository } from './passwords/unlock-restrictions.repository.js';
import { RegistrationService } from './registration/registration.service.js';
import { AccessRevocationService } from './sessions/access-revocation.service.js';
import { SessionActivityService } from './sessions/session-activity.service.js';
import { SessionCache } from './sessions/session-cache.js';
import { SessionEndPublisher } from './sessions/session-end-publisher.js';
import { SessionsRepository } from './sessions/sessions.repository.js';
import { SessionsService } from './sessions/sessions.service.js';
import { SharedSessionCache } from './sessions/shared-session-cache.js';
import { OneTimeTokensRepository } from './tokens/one-time-tokens.repository.js';
import { OneTimeTokensService } from './tokens/one-time-tokens.service.js';
import { AUTH_RATE_LIMITS } from './auth.rate-limits.js';

/** What the controllers of this feature call, and what features above use. */
const SERVICES = [
  LoginService,
  SessionsService,
  AccessRevocationService,
  ReauthenticationService,
  PasswordsService,
  PasswordRecoveryService,
  PasswordChangeService,
  UnlockRestrictionService,
  OneTimeTokensService,
  RegistrationService,
  EmailChangeService,
  EmailQuotaService,
];
/** What the jobs of this feature purge. */
const PURGED = [LoginThrottleRepository, LoginWindowsRepository, OneTimeTokensRepository, SessionsRepository];

/** Global, because the guard of every role needs to know who sent a request, and whether their session is live. */
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
    ...SERVICES,
    ...PURGED,
    Authenticator,
    TicketAuthenticator,
    KnownDevicesService,
    LoginAlertsService,
    NewClientsRepository,
    ProofVerifier,
    SessionActivityService,
    SessionCache,
    SessionEndPublisher,
    SharedSessionCache,
    UnlockRestrictionsRepository,
    { provide: SessionVerifier, useExisting: SessionCache },
    SESSIONS_ADOPTION,
    ONE_TIME_TOKENS_ADOPTION,
    ...AUTH_PURGES,
  ],
  exports: [...SERVICES, ...PURGED, Authenticator, TicketAuthenticator, SessionVerifier],
})
export class AuthModule {}

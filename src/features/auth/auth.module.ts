import { Global, Module } from '@nestjs/common';
import { Authenticator } from '../../platform/auth/authenticator.js';
import { SessionGate } from '../../platform/auth/session-gate.js';
import { UsersModule } from '../users/users.module.js';
import { AuthService } from './auth.service.js';
import { CachedSessionGate } from './cached-session-gate.js';
import { SessionActivity } from './session-activity.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';

/** Global for one reason: the guard of every role asks who is there, and whether their session stands. */
@Global()
@Module({
  imports: [UsersModule],
  providers: [
    AuthService,
    Authenticator,
    SessionsService,
    SessionsRepository,
    SessionActivity,
    CachedSessionGate,
    { provide: SessionGate, useExisting: CachedSessionGate },
  ],
  exports: [AuthService, Authenticator, SessionGate],
})
export class AuthModule {}

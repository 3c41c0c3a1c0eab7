import { Injectable } from '@nestjs/common';
import { sessionEnded } from '../../../platform/auth/auth.errors.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { UserPasswordsService } from '../../users/user-passwords.service.js';
import type { PasswordState } from '../../users/users.types.js';
import { WrongPasswordError } from '../auth.errors.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import { LoginThrottleRepository } from './login-throttle.repository.js';

/** A password that was given again in a session of its owner. Much may end either before what it was given for commits. */
export interface PasswordProof {
  readonly password: PasswordState;
  readonly sessionId: string;
  /** What the request calls the password, for the error. */
  readonly member: string;
}

/** Asks for the password again, before what an access token alone must not do. A stolen token cannot be used to guess it. */
@Injectable()
export class ReauthenticationService {
  constructor(
    private readonly passwords: UserPasswordsService,
    private readonly throttle: LoginThrottleRepository,
    private readonly sessions: SessionsRepository,
  ) {}

  /**
   * Counts attempts by session, from whatever network, so that a stolen token locks only its own session out.
   * @param member what the request calls the password, for the error.
   * @returns what {@link hold} takes.
   * @throws WrongPasswordError, LoginThrottledError, BusyError
   */
  async verifyPassword({ userId, sessionId }: Principal, given: string, member = 'password'): Promise<PasswordProof> {
    const key = { account: sha256(`user:${userId}`), origin: `session:${sessionId}`, trusted: true } as const;
    await this.throttle.consume(key);
    const password = await this.throttle.judge(key, () => this.passwords.verifyUser(userId, given));
    if (!password) {
      throw new WrongPasswordError(member);
    }
    await this.throttle.refund(key);
    return { password, sessionId, member };
  }

  /**
   * Locks the account and the session of a proof until the end of the transaction. Every change that is made on a proof
   * calls it in the transaction of the change: verifying and hashing take long, and a reset, a block or a logout that
   * committed meanwhile ended what the change was begun with.
   * @throws SessionEndedError when the session is over; WrongPasswordError when the password is another one by now
   */
  async hold({ password, sessionId, member }: PasswordProof): Promise<void> {
    const isCurrent = await this.passwords.lock(password);
    const end = await this.sessions.hold(sessionId);
    if (end !== null) {
      throw sessionEnded(end);
    }
    if (!isCurrent) {
      throw new WrongPasswordError(member);
    }
  }
}

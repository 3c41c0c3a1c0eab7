import { Injectable } from '@nestjs/common';
import type { Principal } from '../../platform/auth/principal.js';
import { sha256 } from '../../platform/crypto/digest.js';
import { UsersService } from '../users/users.service.js';
import { WrongPasswordError } from './auth.errors.js';
import { LoginThrottle } from './login-throttle.js';

/** Proof that it is the person who asks, and not only somebody at their open session, who may not guess for long. */
@Injectable()
export class CurrentPassword {
  constructor(
    private readonly users: UsersService,
    private readonly throttle: LoginThrottle,
  ) {}

  /**
   * @param member what the request calls it, for the error.
   * @throws WrongPasswordError, LoginThrottledError, BusyError
   */
  async demand({ userId, sessionId }: Principal, password: string, member: string): Promise<void> {
    const key = { account: sha256(`user:${userId}`), origin: `session:${sessionId}`, trusted: true } as const;
    await this.throttle.admit(key);
    if (!(await this.users.passwords.isOf(userId, password))) {
      throw new WrongPasswordError(member);
    }
    await this.throttle.forgive(key);
  }
}

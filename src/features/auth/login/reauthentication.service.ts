import { Injectable } from '@nestjs/common';
import type { Principal } from '../../../platform/auth/principal.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { UserPasswordsService } from '../../users/user-passwords.service.js';
import type { PasswordState } from '../../users/users.types.js';
import { WrongPasswordError } from '../auth.errors.js';
import { LoginThrottleRepository } from './login-throttle.repository.js';

/** Asks for the password again, before what an access token alone must not do. A stolen token cannot be used to guess it. */
@Injectable()
export class ReauthenticationService {
  constructor(
    private readonly passwords: UserPasswordsService,
    private readonly throttle: LoginThrottleRepository,
  ) {}

  /**
   * Counts attempts by session, from whatever network, so that a stolen token locks only its own session out.
   * @param member what the request calls the password, for the error.
   * @throws WrongPasswordError, LoginThrottledError, BusyError
   */
  async verifyPassword(
    { userId, sessionId }: Principal,
    password: string,
    member = 'password',
  ): Promise<PasswordState> {
    const key = { account: sha256(`user:${userId}`), origin: `session:${sessionId}`, trusted: true } as const;
    await this.throttle.consume(key);
    const verified = await this.throttle.judge(key, () => this.passwords.verifyUser(userId, password));
    if (!verified) {
      throw new WrongPasswordError(member);
    }
    await this.throttle.refund(key);
    return verified;
  }

  /**
   * Locks the account of a verified password until the end of the transaction.
   * @throws WrongPasswordError when the password was changed since, or the account blocked or deleted: that ended what is
   *   about to be made
   */
  async lock(verified: PasswordState): Promise<void> {
    if (!(await this.passwords.lock(verified))) {
      throw new WrongPasswordError();
    }
  }
}

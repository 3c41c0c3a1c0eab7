import { Injectable } from '@nestjs/common';
import type { Principal } from '../../../platform/auth/principal.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { UsersService } from '../../users/users.service.js';
import type { PasswordState } from '../../users/users.types.js';
import { WrongPasswordError } from '../auth.errors.js';
import { LoginThrottleService } from './login-throttle.service.js';

/** The password again, before what an access token alone must not do: whoever stole one cannot guess it here. */
@Injectable()
export class ReauthenticationService {
  constructor(
    private readonly users: UsersService,
    private readonly throttle: LoginThrottleService,
  ) {}

  /**
   * Counts by session, whatever address it comes from: a token that was stolen locks nobody else out.
   * @param member what the request calls the password, for the error.
   * @throws WrongPasswordError, LoginThrottledError, BusyError
   */
  async prove({ userId, sessionId }: Principal, password: string, member = 'password'): Promise<PasswordState> {
    const key = { account: sha256(`user:${userId}`), origin: `session:${sessionId}`, trusted: true } as const;
    await this.throttle.admit(key);
    const proof = await this.users.passwords.proveUser(userId, password);
    if (!proof) {
      throw new WrongPasswordError(member);
    }
    await this.throttle.forgive(key);
    return proof;
  }
}

import { Injectable } from '@nestjs/common';
import { LoginThrottledError } from '../auth.errors.js';
import { LoginThrottleRepository, type ThrottleKey } from './login-throttle.repository.js';

/**
 * Slows guessing down, per account and origin, without locking its owner out: a device that signed in before has a
 * count of its own. Accounts that do not exist are treated alike, so a refusal tells nothing.
 */
@Injectable()
export class LoginThrottleService {
  constructor(private readonly repository: LoginThrottleRepository) {}

  /**
   * Counts an attempt. Call it before the password is looked at, and {@link forgive} when it was right.
   * @param name folded identifier of the account whose failures are counted.
   * @throws LoginThrottledError
   */
  async admit(key: ThrottleKey, name: string | null = null): Promise<void> {
    if (!(await this.repository.charge(key, name))) {
      throw new LoginThrottledError(await this.repository.waitOf(key));
    }
  }

  forgive(key: ThrottleKey): Promise<void> {
    return this.repository.payBack(key);
  }
}

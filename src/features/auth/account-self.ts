import { Injectable } from '@nestjs/common';
import type { Principal } from '../../platform/auth/principal.js';
import { AccountAdministration } from './account-administration.js';
import { AccountEmail } from './account-email.js';
import { CurrentPassword } from './current-password.js';

/** What people do to their own account once they have shown their password again. */
@Injectable()
export class AccountSelf {
  constructor(
    private readonly password: CurrentPassword,
    private readonly emails: AccountEmail,
    private readonly accounts: AccountAdministration,
  ) {}

  /** @throws WrongPasswordError, LoginThrottledError, BusyError */
  async requestEmail(user: Principal, email: string, password: string): Promise<void> {
    await this.password.demand(user, password, 'password');
    await this.emails.request(user.userId, email);
  }

  /** @throws WrongPasswordError, LoginThrottledError, BusyError, and what {@link AccountAdministration.delete} throws */
  async delete(user: Principal, password: string): Promise<void> {
    await this.password.demand(user, password, 'password');
    await this.accounts.delete(user.userId);
  }
}

import { Injectable } from '@nestjs/common';
import type { Principal } from '../../platform/auth/principal.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { ReauthenticationService } from '../auth/login/reauthentication.service.js';
import { UserAdminService } from '../user-admin/user-admin.service.js';

/** What people do to their whole account, after their password was verified again. */
@Injectable()
export class AccountService {
  constructor(
    private readonly reauthentication: ReauthenticationService,
    private readonly users: UserAdminService,
    private readonly transactions: Transactions,
  ) {}

  /**
   * @throws WrongPasswordError, SessionEndedError, LoginThrottledError, LastAdminError, BusyError, and what features above
   *   refuse
   */
  async delete(principal: Principal, password: string): Promise<void> {
    const proof = await this.reauthentication.verifyPassword(principal, password);
    await this.transactions.run(async () => {
      await this.reauthentication.hold(proof);
      await this.users.deleteOwn(principal.userId);
    });
  }
}

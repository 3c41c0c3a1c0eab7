import { Injectable } from '@nestjs/common';
import type { Principal } from '../../platform/auth/principal.js';
import { UserAdminService } from '../user-admin/user-admin.service.js';
import { ReauthenticationService } from '../auth/login/reauthentication.service.js';

/** What people do to their whole account, for which they give their password again. */
@Injectable()
export class AccountService {
  constructor(
    private readonly reauthentication: ReauthenticationService,
    private readonly accounts: UserAdminService,
  ) {}

  /** @throws WrongPasswordError, LoginThrottledError, LastAdminError, BusyError, and what the hooks refuse */
  async delete(principal: Principal, password: string): Promise<void> {
    await this.reauthentication.prove(principal, password);
    await this.accounts.delete(principal.userId);
  }
}

import { Injectable } from '@nestjs/common';
import type { Principal } from '../../platform/auth/principal.js';
import { ReauthenticationService } from '../auth/login/reauthentication.service.js';
import { UserAdminService } from '../user-admin/user-admin.service.js';

/** What people do to their whole account, after their password was verified again. */
@Injectable()
export class AccountService {
  constructor(
    private readonly reauthentication: ReauthenticationService,
    private readonly users: UserAdminService,
  ) {}

  /** @throws WrongPasswordError, LoginThrottledError, LastAdminError, BusyError, and what features above refuse */
  async delete(principal: Principal, password: string): Promise<void> {
    await this.reauthentication.verifyPassword(principal, password);
    await this.users.delete(principal.userId);
  }
}

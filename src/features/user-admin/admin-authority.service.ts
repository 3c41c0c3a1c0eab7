import { Injectable } from '@nestjs/common';
import { ForbiddenError } from '../../platform/auth/auth.errors.js';
import type { Principal } from '../../platform/auth/principal.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { SessionsService } from '../auth/sessions/sessions.service.js';
import { UsersService } from '../users/users.service.js';

/**
 * The right of administrators to change accounts, at the moment of the change: the guard asked before it, and hashing or a
 * wait for a lock takes long.
 */
@Injectable()
export class AdminAuthorityService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Does `work` in a transaction that holds the administrator, whose block or demotion comes before or after all of it.
   * Locks the accounts that it is about with theirs, because all of them are locked in the order of their ids.
   * @throws SessionEndedError, ForbiddenError when the administrator is none any more, or cannot act; and what `work` throws
   */
  exercise<T>(admin: Principal, accountIds: readonly string[], work: () => Promise<T>): Promise<T> {
    return this.transactions.run(async () => {
      await this.users.lockAll([admin.userId, ...accountIds]);
      await this.sessions.requireLive(admin);
      if (!(await this.users.isAdmin(admin.userId))) {
        throw new ForbiddenError('admin');
      }
      return work();
    });
  }
}

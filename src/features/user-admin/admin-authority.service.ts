import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ForbiddenError } from '../../platform/auth/auth.errors.js';
import type { Principal } from '../../platform/auth/principal.js';
import { Semaphore } from '../../platform/process/semaphore.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { SessionsService } from '../auth/sessions/sessions.service.js';
import { UsersService } from '../users/users.service.js';

/** Administrators whose turns one process remembers. */
const CAPACITY = 1_000;
/** One change at a time; the others wait as long as they would for a connection. */
const ONE_BY_ONE = { concurrent: 1, waiting: 100, perHolder: 101, patienceMs: 5_000 };

/**
 * The right of administrators to change accounts, at the moment of the change: the guard asked before it, and hashing or a
 * wait for a lock takes long. In each process, the changes of one administrator take turns, and those that wait hold no
 * connection: else many of them would hold off others, and the block of an administrator whose session was stolen.
 */
@Injectable()
export class AdminAuthorityService {
  readonly #turns = new LRUCache<string, Semaphore>({ max: CAPACITY, memoMethod: () => new Semaphore(ONE_BY_ONE) });

  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Does `work` in a transaction that holds the administrator, whose block or demotion comes before or after all of it.
   * Locks the accounts that it is about with theirs, because all of them are locked in the order of their ids.
   * @throws SessionEndedError, ForbiddenError when the administrator is none any more, or cannot act; ConnectionQuotaError
   *   when their turn did not come in time; and what `work` throws
   */
  exercise<T>(admin: Principal, accountIds: readonly string[], work: () => Promise<T>): Promise<T> {
    return this.inTurn(admin, async () => {
      await this.users.lockAll([admin.userId, ...accountIds]);
      await this.require(admin);
      return work();
    });
  }

  /**
   * As {@link exercise}, for work that locks no account, such as making many: it holds the administrator only when that is
   * done, so that their block waits for none of it, and undoes it when it came first.
   * @param inspect may still refuse what was done.
   */
  exerciseAtEnd<T>(admin: Principal, work: () => Promise<T>, inspect?: (done: T) => void): Promise<T> {
    return this.inTurn(admin, async () => {
      await this.require(admin);
      const done = await work();
      await this.users.lockAll([admin.userId]);
      await this.require(admin);
      inspect?.(done);
      return done;
    });
  }

  private inTurn<T>({ userId }: Principal, work: () => Promise<T>): Promise<T> {
    return this.#turns.memo(userId).run(userId, () => this.transactions.run(work));
  }

  private async require(admin: Principal): Promise<void> {
    await this.sessions.requireLive(admin);
    if (!(await this.users.isAdmin(admin.userId))) {
      throw new ForbiddenError('admin');
    }
  }
}

import { Injectable } from '@nestjs/common';
import { type AuditRecord, AuditWriter } from '../../platform/audit/audit-writer.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { type Page, toPage } from '../../shared/paging.js';
import { decodeAccountCursor, encodeAccountCursor, toSteps } from './user-cursor.js';
import { UserDirectoryRepository } from './user-directory.repository.js';
import type { AccountFilter, AccountQuery } from './user-directory.types.js';
import { UsersService } from './users.service.js';
import type { Account } from './users.types.js';

const EXPORT_BATCH = 500;

/** Accounts as administrators read them. A read and its audit entry share one transaction. */
@Injectable()
export class UserDirectoryService {
  constructor(
    private readonly directory: UserDirectoryRepository,
    private readonly users: UsersService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /** @throws InvalidCursorError */
  list(query: AccountQuery): Promise<Page<Account>> {
    const { sort, limit, cursor } = query;
    const filter = filterOf(query);
    const after = decodeAccountCursor(sort, cursor);
    return this.audited(filter, async () =>
      toPage(
        await this.directory.list(filter, toSteps(sort), after, limit + 1),
        limit,
        ({ account }) => account,
        ({ position }) => encodeAccountCursor(sort, position),
      ),
    );
  }

  /** The best matches first. */
  search(part: string, limit: number): Promise<Account[]> {
    return this.audited({ q: part }, () => this.directory.search(part, limit));
  }

  /** @throws UserNotFoundError */
  get(id: string): Promise<Account> {
    return this.transactions.run(async () => {
      const account = await this.users.getAccount(id);
      await this.audit.record({ entity: { type: 'user', id } });
      return account;
    });
  }

  /** All that match, a batch at a time: however many there are, only one batch is in memory. */
  async export(filter: AccountFilter, format: string): Promise<AsyncGenerator<Account[]>> {
    // Audited before the first byte, so that an export that cannot be audited sends nothing.
    await this.audited({ ...filter, format }, () => Promise.resolve());
    return this.batches(filter);
  }

  private async *batches(filter: AccountFilter): AsyncGenerator<Account[]> {
    let batch = await this.directory.listById(filter, null, EXPORT_BATCH);
    while (batch.length > 0) {
      yield batch;
      const last = batch.at(-1);
      batch = last && batch.length === EXPORT_BATCH ? await this.directory.listById(filter, last.id, EXPORT_BATCH) : [];
    }
  }

  private audited<T>(query: object, read: () => Promise<T>): Promise<T> {
    return this.transactions.run(async () => {
      await this.audit.record(lookAtAccounts(query));
      return read();
    });
  }
}

/** What a look at accounts is recorded as: which were asked for. */
export function lookAtAccounts(query: object): AuditRecord {
  return { entity: { type: 'user', id: null }, after: { query } };
}

/** Which accounts a query asks for, and not how many of them in which order. */
export function filterOf(query: AccountFilter): AccountFilter {
  const { role, status, createdFrom, createdTo, lastLoginFrom, lastLoginTo, q } = query;
  const all = { role, status, createdFrom, createdTo, lastLoginFrom, lastLoginTo, q };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

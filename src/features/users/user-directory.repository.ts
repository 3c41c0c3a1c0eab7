import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/prisma/database.js';
import { accountList, type AccountPosition, containingAll, SEARCH_TEXT, type SortStep } from './user-list-sql.js';
import type { AccountFilter } from './user-directory.types.js';
import { ACCOUNT_COLUMNS } from './account-rows.js';
import type { Account } from './users.types.js';

/** There are too many shapes to prepare each, and PostgreSQL plans them better with their values. */
const UNPREPARED = '';
const BY_ID: readonly SortStep[] = [];

/** An account, and its position in a list. */
export interface ListedAccount {
  readonly account: Account;
  readonly position: AccountPosition;
}

/** Lists and searches of accounts. */
@Injectable()
export class UserDirectoryRepository {
  constructor(private readonly database: Database) {}

  async list(
    filter: AccountFilter,
    order: readonly SortStep[],
    after: AccountPosition | null,
    limit: number,
  ): Promise<ListedAccount[]> {
    // SQL: a keyset
    const { text, values } = accountList(filter, order, after, limit);
    const rows = await this.database.query<Account & { keys: string[] }>(UNPREPARED, text, values);
    return rows.map(({ keys, ...account }) => ({ account, position: { keys, id: account.id } }));
  }

  /** In the order of their ids, from after `afterId` on. */
  async listById(filter: AccountFilter, afterId: string | null, limit: number): Promise<Account[]> {
    const after = afterId === null ? null : { keys: [], id: afterId };
    return (await this.list(filter, BY_ID, after, limit)).map(({ account }) => account);
  }

  /** The best matches first. */
  search(part: string, limit: number): Promise<Account[]> {
    const values: unknown[] = [part, limit];
    const where = containingAll(part, (value) => `$${String(values.push(value))}`);
    // SQL: something Prisma cannot say: word_similarity
    return this.database.query<Account & object>(
      UNPREPARED,
      `SELECT ${ACCOUNT_COLUMNS} FROM users u WHERE ${where.join(' AND ')}
       ORDER BY word_similarity($1, ${SEARCH_TEXT}) DESC, u.id LIMIT $2`,
      values,
    );
  }
}

import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/prisma/database.js';
import { accountList, type AccountPosition, containingAll, SEARCH_TEXT, type SortStep } from './user-list-sql.js';
import type { AccountFilter } from './user-directory.types.js';
import { ACCOUNT_COLUMNS, type AccountRow, toAccount } from './accounts.rows.js';
import type { Account } from './users.types.js';

/** Too many shapes to prepare each: PostgreSQL plans these every time, with the values before its eyes. */
const UNPREPARED = '';
const BY_ID: readonly SortStep[] = [];

/** An account in its place in a list. */
export interface ListedAccount {
  readonly account: Account;
  readonly position: AccountPosition;
}

/** Looking for accounts. */
@Injectable()
export class UserDirectoryRepository {
  constructor(private readonly database: Database) {}

  async list(
    filter: AccountFilter,
    order: readonly SortStep[],
    after: AccountPosition | null,
    limit: number,
  ): Promise<ListedAccount[]> {
    const { text, values } = accountList(filter, order, after, limit);
    const rows = await this.database.query<AccountRow & { keys: string[] }>(UNPREPARED, text, values);
    return rows.map((row) => ({ account: toAccount(row), position: { keys: row.keys, id: row.id } }));
  }

  /** In the order of their ids, from after `afterId` on. */
  async listById(filter: AccountFilter, afterId: string | null, limit: number): Promise<Account[]> {
    const after = afterId === null ? null : { keys: [], id: afterId };
    return (await this.list(filter, BY_ID, after, limit)).map(({ account }) => account);
  }

  /** The best matches first. */
  async search(part: string, limit: number): Promise<Account[]> {
    const values: unknown[] = [part, limit];
    const where = containingAll(part, (value) => `$${String(values.push(value))}`);
    const rows = await this.database.query<AccountRow>(
      UNPREPARED,
      `SELECT ${ACCOUNT_COLUMNS} FROM users u WHERE ${where.join(' AND ')}
       ORDER BY word_similarity($1, ${SEARCH_TEXT}) DESC, u.id LIMIT $2`,
      values,
    );
    return rows.map(toAccount);
  }
}

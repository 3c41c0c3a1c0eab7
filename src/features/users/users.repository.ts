import { Injectable } from '@nestjs/common';
import type { PlatformRole } from '../../platform/auth/principal.js';
import { Database } from '../../platform/prisma/database.js';
import { isUniqueViolation } from '../../platform/prisma/prisma-errors.js';
import { ACCOUNT_COLUMNS, type AccountRow, toAccount } from './accounts.rows.js';
import { EmailTakenError, UsernameTakenError } from './users.errors.js';
import type { Account, AccountChanges, PreparedAccount, User } from './users.types.js';

const USER = { id: true, email: true, username: true, displayName: true, role: true, createdAt: true } as const;
const GET = `SELECT ${ACCOUNT_COLUMNS} FROM users u WHERE u.id = $1`;
const TOUCHED = 'version = u.version + 1, updated_at = now()';

/** Which unique name to look a person up by; folded. */
export type UserName = ({ readonly email: string } | { readonly username: string }) & {
  /** Only an account that is not deleted. */
  readonly deletedAt?: null;
};

/** A row that is about to become an account. */
export interface AccountToInsert {
  readonly id: string;
  readonly email: string;
  readonly username: string | null;
  readonly displayName: string;
  readonly role: PlatformRole;
}

/** Accounts. Every change is conditional, and says whether it took place. */
@Injectable()
export class UsersRepository {
  constructor(private readonly database: Database) {}

  findById(id: string): Promise<User | null> {
    return this.database.prisma((prisma) => prisma.user.findUnique({ where: { id }, select: USER }));
  }

  findByName(name: UserName): Promise<User | null> {
    return this.database.prisma((prisma) => prisma.user.findUnique({ where: name, select: USER }));
  }

  async findAccount(id: string): Promise<Account | null> {
    const [row] = await this.database.query<AccountRow>('accounts_get', GET, [id]);
    return row ? toAccount(row) : null;
  }

  /** Locked until the end of the transaction, in the order of their ids, so that two of these never wait for each other. */
  async lock(ids: readonly string[]): Promise<Account[]> {
    const rows = await this.database.query<AccountRow>(
      'accounts_lock',
      `SELECT ${ACCOUNT_COLUMNS} FROM users u WHERE u.id = ANY ($1::uuid[]) ORDER BY u.id FOR UPDATE`,
      [ids],
    );
    return rows.map(toAccount);
  }

  /**
   * Whether an administrator who can sign in is left without these: one who never chose a password, or has one that is
   * good for one login only, might never come. Of two transactions that each take one away, the second asks when
   * the first has ended.
   */
  async hasOtherAdmin(without: readonly string[]): Promise<boolean> {
    const [, rows] = await Promise.all([
      this.database.query('accounts_lock_admins', `SELECT pg_advisory_xact_lock(hashtextextended('last_admin', 0))`),
      this.database.query(
        'accounts_other_admin',
        `SELECT 1 FROM users WHERE role = 'ADMIN' AND blocked_at IS NULL AND deleted_at IS NULL
           AND password_hash IS NOT NULL AND NOT must_change_password AND id <> ALL ($1::uuid[]) LIMIT 1`,
        [without],
      ),
    ]);
    return rows.length > 0;
  }

  /** @throws EmailTakenError, UsernameTakenError: the unique index decides, so two racing registrations cannot both win. */
  async create(user: PreparedAccount & { readonly role: PlatformRole }): Promise<User> {
    return namesTaken(this.database.prisma((prisma) => prisma.user.create({ data: user, select: USER })));
  }

  /** Makes those whose names are free, without a password. @returns the ones that were made. */
  async insertMany(accounts: readonly AccountToInsert[]): Promise<Account[]> {
    const rows = await this.database.query<AccountRow>(
      'accounts_insert',
      `INSERT INTO users AS u (id, email, username, display_name, role)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::platform_role[])
       ON CONFLICT DO NOTHING RETURNING ${ACCOUNT_COLUMNS}`,
      [
        accounts.map(({ id }) => id),
        accounts.map(({ email }) => email),
        accounts.map(({ username }) => username),
        accounts.map(({ displayName }) => displayName),
        accounts.map(({ role }) => role),
      ],
    );
    return rows.map(toAccount);
  }

  /** Which of these e-mail addresses belong to an account. */
  async listTakenEmails(emails: readonly string[]): Promise<Set<string>> {
    const rows = await this.database.query<{ email: string }>(
      'accounts_taken',
      'SELECT email FROM users WHERE email = ANY ($1::text[])',
      [emails],
    );
    return new Set(rows.map(({ email }) => email));
  }

  /**
   * @param changes folded.
   * @returns null when it is deleted, or not in the wanted version.
   * @throws EmailTakenError, UsernameTakenError: the unique index decides
   */
  update(id: string, changes: AccountChanges, version: number | undefined): Promise<Account | null> {
    const { email, username, displayName } = changes;
    return namesTaken(
      this.change(
        'accounts_update',
        `email = coalesce($2, u.email), display_name = coalesce($3, u.display_name),
         username = CASE WHEN $4 THEN $5 ELSE u.username END`,
        '($6::int IS NULL OR u.version = $6) AND u.deleted_at IS NULL',
        [id, email ?? null, displayName ?? null, username !== undefined, username ?? null, version ?? null],
      ),
    );
  }

  setRole(id: string, role: PlatformRole, version: number | undefined): Promise<Account | null> {
    return this.change(
      'accounts_set_role',
      'role = $2::platform_role',
      '($3::int IS NULL OR u.version = $3) AND u.deleted_at IS NULL',
      [id, role, version ?? null],
    );
  }

  block(id: string): Promise<Account | null> {
    return this.change('accounts_block', 'blocked_at = now()', 'u.blocked_at IS NULL AND u.deleted_at IS NULL', [id]);
  }

  unblock(id: string): Promise<Account | null> {
    return this.change('accounts_unblock', 'blocked_at = NULL, failed_attempts = 0', 'u.blocked_at IS NOT NULL', [id]);
  }

  delete(id: string): Promise<Account | null> {
    return this.change('accounts_delete', 'deleted_at = now()', 'u.deleted_at IS NULL', [id]);
  }

  restore(id: string): Promise<Account | null> {
    return this.change('accounts_restore', 'deleted_at = NULL', 'u.deleted_at IS NOT NULL', [id]);
  }

  private async change(name: string, set: string, when: string, values: readonly unknown[]): Promise<Account | null> {
    const [row] = await this.database.query<AccountRow>(
      name,
      `UPDATE users AS u SET ${set}, ${TOUCHED} WHERE u.id = $1 AND ${when} RETURNING ${ACCOUNT_COLUMNS}`,
      values,
    );
    return row ? toAccount(row) : null;
  }
}

/** @throws EmailTakenError, UsernameTakenError where `work` fails by a unique index. */
async function namesTaken<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isUniqueViolation(error, 'email')) {
      throw new EmailTakenError({ cause: error });
    }
    throw isUniqueViolation(error, 'username') ? new UsernameTakenError({ cause: error }) : error;
  }
}

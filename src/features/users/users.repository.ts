import { Injectable } from '@nestjs/common';
import type { Prisma } from '../../generated/prisma/client.js';
import type { PlatformRole } from '../../platform/auth/principal.js';
import { Database } from '../../platform/prisma/database.js';
import { isUniqueViolation } from '../../platform/prisma/prisma-errors.js';
import { ACCOUNT, ACCOUNT_COLUMNS, toAccount } from './account-rows.js';
import { CAN_ACT, canActSql, unlockRestrictedSql } from './account-standing.types.js';
import type { FoldedChanges } from './domain/names.js';
import { EmailTakenError, UsernameTakenError } from './users.errors.js';
import type { Account, PreparedAccount, User } from './users.types.js';

const USER = { id: true, email: true, username: true, displayName: true, role: true, createdAt: true } as const;

/** Inserts that refer to these accounts go on: they take no turn by id, and a wait for them could be one in a circle. */
// SQL: a lock
const LOCK = `SELECT ${ACCOUNT_COLUMNS} FROM users u WHERE u.id = ANY ($1::uuid[]) ORDER BY u.id FOR NO KEY UPDATE`;

/** Waits for a change of these accounts, and holds off the next one; inserts that refer to them go on. */
// SQL: a lock
const LOCK_ACTING = `
  SELECT u.id FROM users u WHERE u.id = ANY ($1::uuid[]) AND ${canActSql('u')} ORDER BY u.id FOR NO KEY UPDATE`;

// SQL: a lock
const LOCK_ADMINS = `SELECT pg_advisory_xact_lock(hashtextextended('last_admin', 0))`;

// SQL: database time
const UNLOCK_RESTRICTION = `SELECT u.unlock_after AS until FROM users u WHERE u.id = $1 AND ${unlockRestrictedSql('u')}`;

// SQL: a set-based batch: for a thousand rows, Prisma Client takes twenty times the CPU
const INSERT_MANY = `
  INSERT INTO users AS u (id, email, username, display_name, role)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::platform_role[])
  ON CONFLICT DO NOTHING RETURNING ${ACCOUNT_COLUMNS}`;

// SQL: database time
const BLOCK = `
  UPDATE users AS u SET blocked_at = now(), updated_at = now(), version = version + 1
  WHERE id = $1 AND ${canActSql('u')} RETURNING ${ACCOUNT_COLUMNS}`;

// SQL: database time
const DELETE = `
  UPDATE users AS u SET deleted_at = now(), updated_at = now(), version = version + 1
  WHERE id = $1 AND deleted_at IS NULL RETURNING ${ACCOUNT_COLUMNS}`;

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
    const row = await this.database.prisma((prisma) => prisma.user.findUnique({ where: { id }, select: ACCOUNT }));
    return row && toAccount(row);
  }

  /** Those of these accounts that can act as administrators. */
  async findAdmins(ids: readonly string[]): Promise<Set<string>> {
    const admins = await this.database.prisma((prisma) =>
      prisma.user.findMany({ where: { id: { in: [...ids] }, role: 'ADMIN', ...CAN_ACT }, select: { id: true } }),
    );
    return new Set(admins.map(({ id }) => id));
  }

  /** Locked until the end of the transaction, in the order of their ids, so that two of these never wait for each other. */
  lock(ids: readonly string[]): Promise<Account[]> {
    return this.database.query<Account & object>('accounts_lock', LOCK, [ids]);
  }

  /** Those of these accounts that can act, locked in the order of their ids until the transaction ends. */
  async lockActing(ids: readonly string[]): Promise<Set<string>> {
    const rows = await this.database.query<{ id: string }>('accounts_lock_acting', LOCK_ACTING, [ids]);
    return new Set(rows.map(({ id }) => id));
  }

  /** Until when the account unlocks no door; null when it may. */
  async findUnlockRestriction(id: string): Promise<Date | null> {
    const [row] = await this.database.query<{ until: Date }>('accounts_unlock_restriction', UNLOCK_RESTRICTION, [id]);
    return row?.until ?? null;
  }

  /**
   * Whether an administrator who can sign in is left without these: one who never chose a password, or has one that is
   * good for one login only, might never come. Of two transactions that each take one away, the second asks when
   * the first has ended.
   */
  async hasOtherAdmin(without: readonly string[]): Promise<boolean> {
    await this.database.query('accounts_lock_admins', LOCK_ADMINS);
    const other = await this.database.prisma((prisma) =>
      prisma.user.findFirst({
        where: {
          id: { notIn: [...without] },
          role: 'ADMIN',
          ...CAN_ACT,
          passwordHash: { not: null },
          mustChangePassword: false,
        },
        select: { id: true },
      }),
    );
    return other !== null;
  }

  /** @throws EmailTakenError, UsernameTakenError: the unique index decides, so two racing registrations cannot both win. */
  async create(user: PreparedAccount & { readonly role: PlatformRole }): Promise<User> {
    return namesTaken(this.database.prisma((prisma) => prisma.user.create({ data: user, select: USER })));
  }

  /** Makes those whose names are free, without a password. @returns the ones that were made. */
  insertMany(accounts: readonly AccountToInsert[]): Promise<Account[]> {
    return this.database.query<Account & object>('accounts_insert', INSERT_MANY, [
      accounts.map(({ id }) => id),
      accounts.map(({ email }) => email),
      accounts.map(({ username }) => username),
      accounts.map(({ displayName }) => displayName),
      accounts.map(({ role }) => role),
    ]);
  }

  /** Which of these e-mail addresses belong to an account. */
  async listTakenEmails(emails: readonly string[]): Promise<Set<string>> {
    const rows = await this.database.prisma((prisma) =>
      prisma.user.findMany({ where: { email: { in: [...emails] } }, select: { email: true } }),
    );
    return new Set(rows.map(({ email }) => email));
  }

  /**
   * @returns null when it is deleted, or in none of the wanted versions.
   * @throws EmailTakenError, UsernameTakenError: the unique index decides
   */
  update(id: string, changes: FoldedChanges, versions: readonly number[] | undefined): Promise<Account | null> {
    return namesTaken(this.change({ id, deletedAt: null, ...ofVersions(versions) }, changes));
  }

  setRole(id: string, role: PlatformRole, versions: readonly number[] | undefined): Promise<Account | null> {
    return this.change({ id, deletedAt: null, ...ofVersions(versions) }, { role });
  }

  async block(id: string): Promise<Account | null> {
    const [account] = await this.database.query<Account & object>('accounts_block', BLOCK, [id]);
    return account ?? null;
  }

  unblock(id: string): Promise<Account | null> {
    return this.change({ id, blockedAt: { not: null } }, { blockedAt: null, failedAttempts: 0 });
  }

  async delete(id: string): Promise<Account | null> {
    const [account] = await this.database.query<Account & object>('accounts_delete', DELETE, [id]);
    return account ?? null;
  }

  restore(id: string): Promise<Account | null> {
    return this.change({ id, deletedAt: { not: null } }, { deletedAt: null });
  }

  private async change(where: Prisma.UserWhereInput, data: Prisma.UserUpdateInput): Promise<Account | null> {
    const [row] = await this.database.prisma((prisma) =>
      prisma.user.updateManyAndReturn({ where, data: { ...data, version: { increment: 1 } }, select: ACCOUNT }),
    );
    return row ? toAccount(row) : null;
  }
}

function ofVersions(versions: readonly number[] | undefined): { version?: { in: number[] } } {
  return versions === undefined ? {} : { version: { in: [...versions] } };
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

import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/prisma/database.js';
import { canActSql } from './account-standing.types.js';
import type { PasswordState, User } from './users.types.js';

const COLUMNS = `
  id AS "userId", email, username, password_hash AS "passwordHash", password_changed_at AS "changedAt",
  extract(epoch FROM now() - password_changed_at)::float8 * 1000 AS "ageMs",
  must_change_password AS "mustChange", blocked_at IS NOT NULL AS blocked`;

// SQL: one round trip on a hot path: every login
const BY_NAME = `SELECT ${COLUMNS} FROM users WHERE (email = $1 OR username = $1) AND deleted_at IS NULL`;

// SQL: database time
const BY_ID = `SELECT ${COLUMNS} FROM users WHERE id = $1 AND deleted_at IS NULL`;

/** No two passwords of a person have the same time, because a verified password is known again by its time. */
// SQL: database time
const STORE = `
  UPDATE users SET password_hash = $2, must_change_password = $3, updated_at = now(), version = version + 1,
                   password_changed_at = greatest(clock_timestamp(), password_changed_at + interval '1 millisecond')
  WHERE id = $1 AND deleted_at IS NULL
  RETURNING id`;

// SQL: one round trip on a hot path: every login
const RECORD_LOGIN = `
  UPDATE users SET last_login_at = now(), login_count = login_count + 1, failed_attempts = 0
  WHERE id = $1 AND password_changed_at = $2 AND deleted_at IS NULL
  RETURNING id, email, username, display_name AS "displayName", role, created_at AS "createdAt"`;

/** Locks the row first, so that the second of two logins at once finds no password any more. */
// SQL: a lock
const CONSUME_ONE_TIME_PASSWORD = `
  WITH used AS (
    SELECT id, password_hash FROM users
    WHERE id = $1 AND password_changed_at = $2 AND must_change_password AND password_hash IS NOT NULL
      AND deleted_at IS NULL FOR UPDATE)
  UPDATE users AS u SET password_hash = NULL, updated_at = now(), version = version + 1 FROM used WHERE u.id = used.id
  RETURNING used.password_hash AS "passwordHash"`;

/** The lock that logins and every change of the account wait for. */
// SQL: a lock
const LOCK = `
  SELECT u.id FROM users u WHERE u.id = $1 AND u.password_changed_at = $2 AND ${canActSql('u')} FOR UPDATE`;

/** The same password, hashed harder, unless it was changed meanwhile. */
// SQL: something Prisma cannot say: updated_at stays as it is
const REHASH = `UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id`;

/** With the hash, which stays between this repository and `UserPasswordsService`. */
export interface StoredPassword extends PasswordState {
  /** Null until the person chose a password by the mailed link. */
  readonly passwordHash: string | null;
}

/** Password hashes, with every time read from the database clock. */
@Injectable()
export class UserPasswordsRepository {
  constructor(private readonly database: Database) {}

  /** @param name folded e-mail address or username. */
  async findByName(name: string): Promise<StoredPassword | null> {
    const [row] = await this.database.query<StoredPassword & object>('user_passwords_by_name', BY_NAME, [name]);
    return row ?? null;
  }

  async findById(userId: string): Promise<StoredPassword | null> {
    const [row] = await this.database.query<StoredPassword & object>('user_passwords_by_id', BY_ID, [userId]);
    return row ?? null;
  }

  /** @returns whether there is such a person. */
  async store(userId: string, passwordHash: string | null, mustChange: boolean): Promise<boolean> {
    return (await this.database.query('user_passwords_store', STORE, [userId, passwordHash, mustChange])).length > 0;
  }

  /** @returns the hash of the one-time password that was taken away; null when there was none left. */
  async consumeOneTimePassword(userId: string, changedAt: Date): Promise<string | null> {
    const [row] = await this.database.query<{ passwordHash: string }>(
      'user_passwords_consume',
      CONSUME_ONE_TIME_PASSWORD,
      [userId, changedAt],
    );
    return row?.passwordHash ?? null;
  }

  async rehash(userId: string, outdated: string, passwordHash: string): Promise<void> {
    await this.database.query('user_passwords_rehash', REHASH, [userId, outdated, passwordHash]);
  }

  /** @returns false when the password is no longer the one of `changedAt`, or the account is blocked or deleted. */
  async lock(userId: string, changedAt: Date): Promise<boolean> {
    return (await this.database.query('user_passwords_lock', LOCK, [userId, changedAt])).length > 0;
  }

  /** @returns null when the password is no longer the one of `changedAt`. */
  async recordLogin(userId: string, changedAt: Date): Promise<User | null> {
    const values = [userId, changedAt];
    const [row] = await this.database.query<User & object>('user_passwords_record_login', RECORD_LOGIN, values);
    return row ?? null;
  }
}

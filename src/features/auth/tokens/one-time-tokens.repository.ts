import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import { newId } from '../../../shared/ids.js';

// SQL: database time
const ISSUE = `
  INSERT INTO one_time_tokens (id, purpose, token_hash, user_id, payload, expires_at)
  VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond')`;

/** One statement decides the race: of any number of redemptions, exactly one finds it unused. */
// SQL: database time
const REDEEM = `
  UPDATE one_time_tokens SET used_at = now()
  WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now()
  RETURNING user_id AS "userId", payload`;

// SQL: database time
const FIND = `
  SELECT user_id AS "userId", purpose, payload FROM one_time_tokens
  WHERE token_hash = $1 AND purpose = ANY ($2) AND used_at IS NULL AND expires_at > now()`;

// SQL: database time
const REVOKE = `UPDATE one_time_tokens SET used_at = now() WHERE user_id = $1 AND purpose = ANY ($2) AND used_at IS NULL`;

/** Conditions and expression exactly as in the index `one_time_tokens_registration_idx`. */
// SQL: database time
const REVOKE_REGISTRATIONS = `
  UPDATE one_time_tokens SET used_at = now()
  WHERE purpose = 'registration' AND used_at IS NULL AND payload #>> '{account,email}' = $1`;

// SQL: a set-based batch
const REVOKE_ALL = `
  WITH revoked AS (
    UPDATE one_time_tokens SET used_at = now() WHERE used_at IS NULL AND expires_at > now() RETURNING 1)
  SELECT count(*)::int AS revoked FROM revoked`;

/** Expression exactly as in the index `one_time_tokens_over_idx`. */
// SQL: database time
const PURGE = `
  DELETE FROM one_time_tokens WHERE id IN (
    SELECT id FROM one_time_tokens WHERE least(used_at, expires_at) < now() - $2 * interval '1 millisecond'
    LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id`;

export interface NewOneTimeToken {
  readonly purpose: string;
  readonly tokenHash: Buffer;
  readonly userId: string | null;
  readonly payload: object;
  readonly ttlMs: number;
}

export interface FoundToken {
  readonly userId: string | null;
  readonly purpose: string;
  readonly payload: object;
}

/** Tokens by their hashes, with every time read from the database clock. */
@Injectable()
export class OneTimeTokensRepository {
  constructor(private readonly database: Database) {}

  async issue({ purpose, tokenHash, userId, payload, ttlMs }: NewOneTimeToken): Promise<void> {
    const values = [newId(), purpose, tokenHash, userId, payload, ttlMs];
    await this.database.query('one_time_tokens_issue', ISSUE, values);
  }

  async redeem(purpose: string, tokenHash: Buffer): Promise<{ userId: string | null; payload: object } | null> {
    const [row] = await this.database.query<{ userId: string | null; payload: object }>(
      'one_time_tokens_redeem',
      REDEEM,
      [tokenHash, purpose],
    );
    return row ?? null;
  }

  async find(purposes: readonly string[], tokenHash: Buffer): Promise<FoundToken | null> {
    const [row] = await this.database.query<FoundToken>('one_time_tokens_find', FIND, [tokenHash, purposes]);
    return row ?? null;
  }

  async revokeAllOf(userId: string, purposes: readonly string[]): Promise<void> {
    await this.database.query('one_time_tokens_revoke', REVOKE, [userId, purposes]);
  }

  async revokeRegistrations(email: string): Promise<void> {
    await this.database.query('one_time_tokens_revoke_registrations', REVOKE_REGISTRATIONS, [email]);
  }

  /** Revokes every token of everyone. @returns how many */
  async revokeAll(): Promise<number> {
    const [row] = await this.database.query<{ revoked: number }>('one_time_tokens_revoke_all', REVOKE_ALL);
    return row?.revoked ?? 0;
  }

  /** @returns how many of at most `limit` were deleted. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('one_time_tokens_purge', PURGE, [limit, keptMs])).length;
  }
}

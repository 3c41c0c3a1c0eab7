import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import { LoginThrottledError } from '../auth.errors.js';

/** This many attempts are free; each further one doubles the wait. */
const FREE_FAILURES = 5;
const FIRST_WAIT = `interval '15 seconds'`;
const LONGEST_WAIT = `interval '1 hour'`;
const FORGOTTEN_AFTER = `interval '24 hours'`;
/**
 * For all origins together that are no known devices: 30 at once and 20 a day. E-mail address and username count
 * separately, because a common count would tell that they belong together; so an attacker has 100 guesses on the first day.
 */
const CEILING = 30;
const ONE_DRAINS_IN = 72 * 60;

const FAILURES = `CASE WHEN t.last_failure < now() - ${FORGOTTEN_AFTER} THEN 1 ELSE t.failures + 1 END`;
const DRAINED = `floor(extract(epoch FROM now() - t.last_failure) / ${String(ONE_DRAINS_IN)})::int`;
const STANDING = `greatest(0, t.failures - ${DRAINED})`;

/**
 * Counts an attempt before the password is verified, so that attempts at the same time cannot outrun the count; a good one
 * is refunded. The row locks decide: of any number at once, only as many pass as are left. What takes an attempt back
 * locks the same rows in the same order (this origin, all origins, account), so that the two never wait for each other:
 * PostgreSQL runs a CTE that changes rows where it is read, and one that is not read only after the main statement.
 */
// SQL: one round trip on a hot path: every login
const CONSUME = `
  WITH this_origin AS (
    INSERT INTO login_throttles AS t (account, origin, failures, last_failure) VALUES ($1, $2, 1, now())
    ON CONFLICT (account, origin) DO UPDATE SET
      failures = ${FAILURES},
      last_failure = now(),
      locked_until = CASE WHEN ${FAILURES} >= ${String(FREE_FAILURES)} THEN
        now() + least(${LONGEST_WAIT}, ${FIRST_WAIT} * power(2, least(${FAILURES}, 30) - ${String(FREE_FAILURES)})) END
    WHERE t.locked_until IS NULL OR t.locked_until <= now()
    RETURNING 1
  ), all_origins AS (
    INSERT INTO login_throttles AS t (account, origin, failures, last_failure)
    SELECT $1, 'everybody', 1, now() FROM this_origin WHERE NOT $3::boolean
    ON CONFLICT (account, origin) DO UPDATE SET
      failures = ${STANDING} + 1,
      last_failure = CASE WHEN ${STANDING} = 0 THEN now()
                          ELSE t.last_failure + ${DRAINED} * interval '${String(ONE_DRAINS_IN)} seconds' END
    WHERE ${STANDING} < ${String(CEILING)}
    RETURNING 1
  ), admitted AS (
    SELECT 1 FROM this_origin WHERE $3::boolean UNION ALL SELECT 1 FROM all_origins
  ), counted AS (
    UPDATE users SET failed_attempts = failed_attempts + 1
    FROM admitted WHERE $4::text IS NOT NULL AND (email = $4 OR username = $4) AND deleted_at IS NULL
    RETURNING 1
  )
  SELECT EXISTS (SELECT FROM admitted) AS admitted`;

// SQL: database time
const WAIT = `
  SELECT ceil(greatest(1, max(extract(epoch FROM CASE
    WHEN t.origin <> 'everybody' THEN t.locked_until - now()
    WHEN ${STANDING} >= ${String(CEILING)}
      THEN t.last_failure + (${DRAINED} + 1) * interval '${String(ONE_DRAINS_IN)} seconds' - now() END))))::int AS seconds
  FROM login_throttles AS t WHERE t.account = $1 AND (t.origin = $2 OR (t.origin = 'everybody' AND NOT $3::boolean))`;

// SQL: one round trip on a hot path: every login
const REFUND = `
  WITH this_origin AS (DELETE FROM login_throttles WHERE account = $1 AND origin = $2 RETURNING 1)
  UPDATE login_throttles SET failures = greatest(0, failures - 1)
  FROM (SELECT count(*) FROM this_origin) AS first
  WHERE account = $1 AND origin = 'everybody' AND NOT $3::boolean`;

/**
 * Takes one attempt back. The wait that it began ends with it: the next attempt was let through by that wait, or by none.
 */
// SQL: one round trip on a hot path: every login that is refused because of too many others
const GIVE_BACK = `
  WITH this_origin AS (
    UPDATE login_throttles SET failures = greatest(0, failures - 1), locked_until = NULL
    WHERE account = $1 AND origin = $2
    RETURNING 1
  ), all_origins AS (
    UPDATE login_throttles SET failures = greatest(0, failures - 1)
    FROM (SELECT count(*) FROM this_origin) AS first
    WHERE account = $1 AND origin = 'everybody' AND NOT $3::boolean
    RETURNING 1
  )
  UPDATE users SET failed_attempts = greatest(0, failed_attempts - 1)
  FROM (SELECT count(*) FROM this_origin) AS first, (SELECT count(*) FROM all_origins) AS second
  WHERE $4::text IS NOT NULL AND (email = $4 OR username = $4) AND deleted_at IS NULL`;

// SQL: database time
const PURGE = `
  DELETE FROM login_throttles WHERE (account, origin) IN (
    SELECT account, origin FROM login_throttles WHERE last_failure < now() - $2 * interval '1 millisecond'
    LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

/** Failures are counted for each of these by itself. An IPv6 address stands for its /64. */
export type LoginOrigin = `address:${string}` | `device:${string}` | `session:${string}`;

/** Which account is tried, from where. */
export interface ThrottleKey {
  /** SHA-256 of what stands for the account. */
  readonly account: Buffer;
  readonly origin: LoginOrigin;
  /** Only its own count can lock it: attempts from other origins never do. */
  readonly trusted: boolean;
}

/**
 * Slows guessing down, per account and origin, without locking the owner out: a device that signed in before has a count
 * of its own. Accounts that do not exist are treated alike, so a refusal tells nothing. Every time is read from the
 * database clock.
 */
@Injectable()
export class LoginThrottleRepository {
  constructor(private readonly database: Database) {}

  /**
   * Counts an attempt. Call it before the password is verified, and {@link refund} when it was right.
   * @param name folded identifier of the account whose `failed_attempts` grow; null: none.
   * @throws LoginThrottledError
   */
  async consume(key: ThrottleKey, name: string | null = null): Promise<void> {
    const values = [key.account, key.origin, key.trusted, name];
    const [row] = await this.database.query<{ admitted: boolean }>('login_throttles_consume', CONSUME, values);
    if (row?.admitted !== true) {
      throw new LoginThrottledError(await this.retryAfter(key));
    }
  }

  /** Forgets the failures of the origin, and takes the attempt off the count of all origins. */
  async refund({ account, origin, trusted }: ThrottleKey): Promise<void> {
    await this.database.query('login_throttles_refund', REFUND, [account, origin, trusted]);
  }

  /**
   * Verifies a password whose attempt was counted. An attempt that comes to no verdict, because too many passwords are being
   * verified or the database is away, is no guess: it is taken back.
   * @param name as it was given to {@link consume}.
   * @throws what `verify` throws
   */
  async judge<T>(key: ThrottleKey, verify: () => Promise<T>, name: string | null = null): Promise<T> {
    try {
      return await verify();
    } catch (error) {
      // A database that is away keeps the count; the reason why there is no verdict says more than that.
      await this.giveBack(key, name).catch(() => undefined);
      throw error;
    }
  }

  private async giveBack({ account, origin, trusted }: ThrottleKey, name: string | null): Promise<void> {
    await this.database.query('login_throttles_give_back', GIVE_BACK, [account, origin, trusted, name]);
  }

  /** @returns how many of at most `limit` were deleted. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('login_throttles_purge', PURGE, [limit, keptMs])).length;
  }

  /** In seconds. */
  private async retryAfter({ account, origin, trusted }: ThrottleKey): Promise<number> {
    const values = [account, origin, trusted];
    const [row] = await this.database.query<{ seconds: number | null }>('login_throttles_wait', WAIT, values);
    return row?.seconds ?? 1;
  }
}

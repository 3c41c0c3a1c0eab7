import { Injectable } from '@nestjs/common';
import type { RevocationReason, SessionEnd } from '../../../contracts/sessions.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Database } from '../../../platform/prisma/database.js';
import { canActSql } from '../../users/account-standing.types.js';
import type { ClientInfo } from '../auth.types.js';
import type { ClientTraits } from './client-traits.js';
import type { RotationState } from './domain/rotation.js';
import { liveSessionSql } from './live-session.sql.js';

/** How long the predecessor of a refresh token is accepted: two tabs refresh within it, a thief hardly does. */
const GRACE = `interval '10 seconds'`;
const REPEATS_WINDOW = `interval '10 minutes'`;
const MAX_LISTED = 100;

/**
 * One at a time for each person: two logins at once would each count the sessions without the other's. A change of
 * password and a block write to the same row, so a login comes before or after all of those, too.
 */
// SQL: a lock
const LOCK = `
  SELECT ${canActSql('u')} AS "maySignIn" FROM users u WHERE u.id = $1 FOR NO KEY UPDATE`;

/** `clock_timestamp()`, because the transaction may have begun long before it got the lock, and the oldest is evicted. */
// SQL: one round trip on a hot path: every login
const OPEN = `
  INSERT INTO sessions (id, user_id, refresh_counter, refresh_hash, created_at, expires_at, remember_me, user_agent, address,
    device_hash)
  VALUES ($1, $2, $3, $4, clock_timestamp(), now() + $5::float8 * interval '1 millisecond', $6, $7, $8, $9)`;

// SQL: one round trip on a hot path: every login
const EVICT = `
  UPDATE sessions SET revoked_at = now(), revoked_reason = 'evicted'
  WHERE id IN (
    SELECT id FROM sessions
    WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL AND expires_at > now()
    ORDER BY created_at DESC, id DESC OFFSET $3
  ) AND revoked_at IS NULL
  RETURNING id`;

/** One statement decides the race: of any number of refreshes with one token, exactly one finds it still valid. */
// SQL: one round trip on a hot path: every refresh
const ROTATE = `
  UPDATE sessions AS s
  SET refresh_counter = s.refresh_counter + 1, refresh_hash = $4, rotated_at = now(),
      rotated_by = CASE WHEN s.device_hash = $7 THEN NULL ELSE $8::bytea END,
      expires_at = now() + CASE WHEN s.remember_me THEN $6::float8 ELSE $5::float8 END * interval '1 millisecond'
  FROM users AS u
  WHERE s.id = $1 AND s.refresh_counter = $2 AND s.refresh_hash = $3
    AND ${liveSessionSql('s')}
    AND u.id = s.user_id AND ${canActSql('u')}
  RETURNING s.id AS "sessionId", s.user_id AS "userId", u.role, s.remember_me AS "rememberMe"`;

/**
 * The client that rotated showed the known device ($2), and so does this one; or neither did, and both came from the same
 * origin ($3). One of each kind are two clients, whichever of them is the thief. A session that the release before this one
 * opened has no known device; where that release rotated it, neither hash is there.
 */
const SAME_CLIENT = `CASE WHEN s.rotated_by IS NULL THEN s.device_hash IS NULL OR s.device_hash = $2
  ELSE s.rotated_by = $3 AND (s.device_hash = $2) IS NOT TRUE END`;

// SQL: database time
const ROTATION_STATE = `
  SELECT s.id AS "sessionId", s.user_id AS "userId", u.role, s.remember_me AS "rememberMe", s.refresh_counter AS counter,
         ${liveSessionSql('s')} AND ${canActSql('u')} AS live,
         coalesce(s.rotated_at > now() - ${GRACE}, false) AS "inGrace",
         coalesce(${SAME_CLIENT}, false) AS "sameClient",
         s.revoked_reason AS "revokedReason"
  FROM sessions AS s JOIN users AS u ON u.id = s.user_id
  WHERE s.id = $1`;

/**
 * A rotation by the known device counts once, however many answers it was repeated in. Without one, each use counts: a thief
 * behind the same address and user agent cannot be told from a client that tries again.
 */
// SQL: database time
const COUNT_REPEAT = `
  UPDATE sessions AS s SET repeated_at = CASE
    WHEN s.device_hash IS NOT NULL AND s.rotated_by IS NULL
     AND s.repeated_at[cardinality(s.repeated_at)] >= s.rotated_at THEN s.repeated_at
    ELSE array_append(s.repeated_at[greatest(1, cardinality(s.repeated_at) - 1):], clock_timestamp()) END
  WHERE s.id = $1 AND s.refresh_counter = $2
  RETURNING (SELECT count(*)::int FROM unnest(s.repeated_at) AS r(at) WHERE r.at > now() - ${REPEATS_WINDOW}) AS repeats`;

// SQL: database time
const REVOKE = `
  UPDATE sessions SET revoked_at = now(), revoked_reason = $2
  WHERE id = $1 AND ($3::uuid IS NULL OR user_id = $3) AND revoked_at IS NULL AND expires_at > now()
  RETURNING id`;

// SQL: database time
const REVOKE_ALL = `
  UPDATE sessions SET revoked_at = now(), revoked_reason = $2
  WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now() AND ($3::uuid IS NULL OR id <> $3)
  RETURNING id`;

// SQL: a set-based batch
const END_ALL = `
  WITH ended AS (
    UPDATE sessions SET revoked_at = now(), revoked_reason = $1 WHERE revoked_at IS NULL AND expires_at > now() RETURNING 1)
  SELECT count(*)::int AS ended FROM ended`;

// SQL: one round trip on a hot path: every request whose session is not cached
const END = `
  SELECT CASE WHEN revoked_at IS NOT NULL THEN coalesce(revoked_reason, 'revoked') WHEN expires_at <= now() THEN 'expired' END AS "end"
  FROM sessions WHERE id = $1`;

/** Whatever ends or refreshes the session waits until the transaction ends. */
// SQL: a lock
const HOLD = `${END} FOR NO KEY UPDATE`;

// SQL: database time
const LIST = `
  SELECT id, user_agent AS "userAgent", address AS ip, created_at AS "createdAt", last_seen_at AS "lastSeenAt",
         expires_at AS "expiresAt", remember_me AS "rememberMe"
  FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()
  ORDER BY last_seen_at DESC, id LIMIT ${String(MAX_LISTED)}`;

/**
 * Other processes may have seen the same sessions; each row is still written once a minute at most. It never waits: a
 * change of a password locks one session, and then ends others that this may have locked.
 */
// SQL: a set-based batch
const TOUCH = `
  UPDATE sessions SET last_seen_at = now()
  WHERE id IN (SELECT id FROM sessions WHERE id = ANY ($1::uuid[]) AND last_seen_at < now() - interval '1 minute'
               FOR NO KEY UPDATE SKIP LOCKED)`;

/** Until its last token expired, a session tells why it ended; nothing brings back one that is expired. */
// SQL: database time
const PURGE = `
  DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE expires_at < now() - $2 * interval '1 millisecond'
    ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

export interface NewSession extends ClientInfo {
  readonly id: string;
  readonly userId: string;
  readonly counter: number;
  readonly refreshHash: Buffer;
  readonly rememberMe: boolean;
  readonly lifetimeMs: number;
  /** SHA-256 of the secret of the known device. */
  readonly deviceHash: Buffer;
}

export interface Rotation {
  readonly sessionId: string;
  /** Generation of the presented token. */
  readonly counter: number;
  readonly presentedHash: Buffer;
  readonly client: ClientTraits;
  readonly successorHash: Buffer;
  readonly lifetimeMs: number;
  /** Of a session with `rememberMe`. */
  readonly rememberedLifetimeMs: number;
}

/** A session whose refresh token was accepted. */
export interface RotatedSession extends Principal {
  readonly rememberMe: boolean;
}

export interface UnrotatedSession extends RotatedSession, RotationState {
  readonly revokedReason: RevocationReason | null;
}

export interface SessionRow extends ClientInfo {
  readonly id: string;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  readonly rememberMe: boolean;
}

/** Sessions, with every time read from the database clock. */
@Injectable()
export class SessionsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Locks the account until the end of the transaction: what counts or ends the sessions of a person comes one after the
   * other.
   * @returns false when the account is blocked or deleted.
   */
  async lock(userId: string): Promise<boolean> {
    const [row] = await this.database.query<{ maySignIn: boolean }>('sessions_lock', LOCK, [userId]);
    return row?.maySignIn ?? false;
  }

  async open(session: NewSession): Promise<void> {
    const { id, userId, counter, refreshHash, lifetimeMs, rememberMe, userAgent, ip, deviceHash } = session;
    const values = [id, userId, counter, refreshHash, lifetimeMs, rememberMe, userAgent, ip, deviceHash];
    await this.database.query('sessions_open', OPEN, values);
  }

  /** Ends the oldest sessions of a person beyond `others` besides `sessionId`. @returns which. */
  async evict(userId: string, sessionId: string, others: number): Promise<string[]> {
    return idsOf(await this.database.query('sessions_evict', EVICT, [userId, sessionId, others]));
  }

  /** Replaces the presented token by its successor; null when it was not the valid one, or the session is over. */
  async rotate(rotation: Rotation): Promise<RotatedSession | null> {
    const { sessionId, counter, presentedHash, successorHash, lifetimeMs, rememberedLifetimeMs, client } = rotation;
    const lifetimes = [lifetimeMs, rememberedLifetimeMs];
    const values = [sessionId, counter, presentedHash, successorHash, ...lifetimes, client.deviceHash, client.origin];
    const [rotated] = await this.database.query<RotatedSession>('sessions_rotate', ROTATE, values);
    return rotated ?? null;
  }

  /** @param client who presented the token that did not rotate. */
  async findRotationState(sessionId: string, client: ClientTraits): Promise<UnrotatedSession | null> {
    const values = [sessionId, client.deviceHash, client.origin];
    const [state] = await this.database.query<UnrotatedSession>('sessions_rotation_state', ROTATION_STATE, values);
    return state ?? null;
  }

  /**
   * Counts that the answer to the last rotation is given again. `counter`: generation of the token in that answer.
   * @returns how many rotations that happened to in the last ten minutes; without a known device, how many times it happened.
   */
  async countRepeat(sessionId: string, counter: number): Promise<number> {
    const [row] = await this.database.query<{ repeats: number }>('sessions_count_repeat', COUNT_REPEAT, [
      sessionId,
      counter,
    ]);
    // Refreshed in this very moment: the repeat came before that, and the next one would find it too late.
    return row?.repeats ?? 0;
  }

  /** Ends every live session of everyone. @returns how many */
  async endAll(reason: RevocationReason): Promise<number> {
    const [row] = await this.database.query<{ ended: number }>('sessions_end_all', END_ALL, [reason]);
    return row?.ended ?? 0;
  }

  async setDevice(sessionId: string, deviceHash: Buffer): Promise<void> {
    await this.database.prisma((prisma) =>
      prisma.session.updateMany({ where: { id: sessionId }, data: { deviceHash: new Uint8Array(deviceHash) } }),
    );
  }

  /**
   * @param ofUserId only when it is this person's.
   * @returns whether it was live until now.
   */
  async revoke(sessionId: string, reason: RevocationReason, ofUserId: string | null = null): Promise<boolean> {
    return (await this.database.query('sessions_revoke', REVOKE, [sessionId, reason, ofUserId])).length > 0;
  }

  /** @returns the sessions that were live until now. */
  async revokeAll(userId: string, reason: RevocationReason, exceptSessionId: string | null): Promise<string[]> {
    return idsOf(await this.database.query('sessions_revoke_all', REVOKE_ALL, [userId, reason, exceptSessionId]));
  }

  /** Why it is over; null while it is live. One that is not there any more has expired. */
  async endOf(sessionId: string): Promise<SessionEnd | null> {
    const [row] = await this.database.queryHot<{ end: SessionEnd | null }>('sessions_end', END, [sessionId]);
    return row ? row.end : 'expired';
  }

  /** As {@link endOf}, and locks the session until the end of the transaction. */
  async hold(sessionId: string): Promise<SessionEnd | null> {
    const [row] = await this.database.query<{ end: SessionEnd | null }>('sessions_hold', HOLD, [sessionId]);
    return row ? row.end : 'expired';
  }

  /** The live sessions of a person, the last seen first. */
  list(userId: string): Promise<SessionRow[]> {
    return this.database.query<SessionRow>('sessions_list', LIST, [userId]);
  }

  /** Sets when these sessions were last seen. */
  async touch(sessionIds: readonly string[]): Promise<void> {
    await this.database.query('sessions_touch', TOUCH, [sessionIds]);
  }

  /** @returns how many of at most `limit` were deleted. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('sessions_purge', PURGE, [limit, keptMs])).length;
  }
}

function idsOf(rows: readonly { id?: string }[]): string[] {
  return rows.map(({ id }) => id ?? '');
}

import { Injectable } from '@nestjs/common';
import type { Principal } from '../../platform/auth/principal.js';
import { Database } from '../../platform/prisma/database.js';
import type { ClientInfo, RevocationReason } from './auth.types.js';
import type { RotationState } from './domain/rotation.js';

/** Tells two tabs from a thief: a predecessor is forgiven for so long. */
const GRACE = `interval '10 seconds'`;

const OPEN = `
  INSERT INTO sessions (id, user_id, refresh_counter, refresh_hash, expires_at, user_agent, address)
  VALUES ($1, $2, $3, $4, now() + $5 * interval '1 millisecond', $6, $7)`;

/** One statement decides the race: of any number of refreshes with one token, exactly one finds it still valid. */
const ROTATE = `
  UPDATE sessions AS s
  SET refresh_counter = s.refresh_counter + 1, refresh_hash = $4, rotated_at = now(), last_seen_at = now(),
      expires_at = now() + $5 * interval '1 millisecond'
  FROM users AS u
  WHERE s.id = $1 AND s.refresh_counter = $2 AND s.refresh_hash = $3
    AND s.revoked_at IS NULL AND s.expires_at > now() AND u.id = s.user_id
  RETURNING s.id AS "sessionId", s.user_id AS "userId", u.role`;

const ROTATION_STATE = `
  SELECT s.id AS "sessionId", s.user_id AS "userId", u.role, s.refresh_counter AS counter,
         s.revoked_at IS NULL AND s.expires_at > now() AS live,
         coalesce(s.rotated_at > now() - ${GRACE}, false) AS "inGrace"
  FROM sessions AS s JOIN users AS u ON u.id = s.user_id
  WHERE s.id = $1`;

const REVOKE = `
  UPDATE sessions SET revoked_at = now(), revoked_reason = $2
  WHERE id = $1 AND revoked_at IS NULL
  RETURNING id`;

const IS_LIVE = `SELECT 1 FROM sessions WHERE id = $1 AND revoked_at IS NULL AND expires_at > now()`;

/** Other processes may have seen the same sessions; each row is still written once a minute at most. */
const TOUCH = `
  UPDATE sessions SET last_seen_at = now()
  WHERE id = ANY ($1::uuid[]) AND last_seen_at < now() - interval '1 minute'`;

export interface NewSession extends ClientInfo {
  readonly id: string;
  readonly userId: string;
  readonly counter: number;
  readonly refreshHash: Buffer;
  readonly lifetimeMs: number;
}

export interface Rotation {
  readonly sessionId: string;
  /** Generation of the presented token. */
  readonly counter: number;
  readonly presentedHash: Buffer;
  readonly successorHash: Buffer;
  readonly lifetimeMs: number;
}

/** Sessions, with every time read from the database clock. */
@Injectable()
export class SessionsRepository {
  constructor(private readonly database: Database) {}

  async open(session: NewSession): Promise<void> {
    const { id, userId, counter, refreshHash, lifetimeMs, userAgent, address } = session;
    await this.database.query('sessions_open', OPEN, [
      id,
      userId,
      counter,
      refreshHash,
      lifetimeMs,
      userAgent,
      address,
    ]);
  }

  /** Replaces the presented token by its successor; null when it was not the valid one, or the session is over. */
  async rotate(rotation: Rotation): Promise<Principal | null> {
    const { sessionId, counter, presentedHash, successorHash, lifetimeMs } = rotation;
    const values = [sessionId, counter, presentedHash, successorHash, lifetimeMs];
    const [rotated] = await this.database.query<Principal>('sessions_rotate', ROTATE, values);
    return rotated ?? null;
  }

  async findRotationState(sessionId: string): Promise<(RotationState & Principal) | null> {
    const [state] = await this.database.query<RotationState & Principal>('sessions_rotation_state', ROTATION_STATE, [
      sessionId,
    ]);
    return state ?? null;
  }

  /** @returns whether it was live until now. */
  async revoke(sessionId: string, reason: RevocationReason): Promise<boolean> {
    return (await this.database.query('sessions_revoke', REVOKE, [sessionId, reason])).length > 0;
  }

  async isLive(sessionId: string): Promise<boolean> {
    return (await this.database.query('sessions_is_live', IS_LIVE, [sessionId])).length > 0;
  }

  /** Notes that these sessions were just used. */
  async touch(sessionIds: readonly string[]): Promise<void> {
    await this.database.query('sessions_touch', TOUCH, [sessionIds]);
  }
}

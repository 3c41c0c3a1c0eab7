import { Injectable } from '@nestjs/common';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';
import { liveSessionSql } from '../../auth/sessions/live-session.sql.js';
import type { PushService, PushSubscription } from './push-subscriptions.types.js';

/** Messages that a subscription remembers to have taken: as many as may be tried again at once, and more. */
const REMEMBERED = 50;

/** A subscription lasts as long as the session that registered it. */
const LIVE = `push_subscriptions p JOIN sessions s ON s.id = p.session_id AND ${liveSessionSql('s')}`;
const COLUMNS = `p.id, p.service, p.session_id AS "sessionId", p.user_agent AS "userAgent", p.ending,
  p.created_at AS "createdAt", p.last_used_at AS "lastUsedAt"`;

// SQL: database time
const LIST = `SELECT ${COLUMNS} FROM ${LIVE} WHERE p.user_id = $1 ORDER BY p.created_at, p.id`;

// SQL: database time
const FIND = `SELECT ${COLUMNS} FROM ${LIVE} WHERE p.user_id = $1 AND p.id = $2`;

/**
 * All that a registration may remove, in the order of the ids: two people who exchange their targets never wait for each other. Where
 * one waits for another that registers the same, it finds what that one has made.
 */
// SQL: a lock
const LOCK_HELD = `
  SELECT id, user_id AS "userId", token_hash = $3 AS "isHeld" FROM push_subscriptions
  WHERE token_hash = $3 OR (session_id = $1 AND service = $2) ORDER BY id FOR UPDATE`;

// SQL: database time
const ADD = `
  INSERT INTO push_subscriptions (id, user_id, session_id, service, sealed, token_hash, ending, user_agent)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (token_hash) DO NOTHING RETURNING id`;

// SQL: database time
const RENEW = `UPDATE push_subscriptions SET session_id = $2, sealed = $3, user_agent = $4 WHERE id = $1`;

/** A session is one browser or app: what it registers takes the place of what it had of the service. */
// SQL: database time
const REPLACE = `
  DELETE FROM push_subscriptions WHERE session_id = $1 AND service = $2 AND token_hash <> $3 RETURNING id`;

/** Those of ended sessions first, then those whose session was seen longest ago. */
// SQL: database time
const EVICT = `
  DELETE FROM push_subscriptions WHERE id IN (
    SELECT p.id FROM push_subscriptions p JOIN sessions s ON s.id = p.session_id
    WHERE p.user_id = $1 AND p.id <> $2
    ORDER BY ${liveSessionSql('s')} DESC, s.last_seen_at DESC, p.created_at DESC, p.id DESC OFFSET $3)
  RETURNING id`;

// SQL: database time
const REMOVE = `DELETE FROM push_subscriptions p WHERE p.user_id = $1 AND p.id = $2 RETURNING p.service, p.ending`;

// SQL: a set-based batch
const REACHABLE = `
  SELECT DISTINCT p.user_id AS "userId" FROM ${LIVE}
  WHERE p.user_id = ANY (${arrayParam(1, 'uuid')}) AND p.service = ANY (${arrayParam(2, 'text')})`;

// SQL: database time
const TARGETS = `
  SELECT p.id, p.service, p.sealed, p.user_id AS "userId", p.last_used_at IS NOT NULL AS "isProven",
    p.taken @> ARRAY[$3::uuid] AS "hasTaken" FROM ${LIVE}
  WHERE p.user_id = $1 AND p.service = ANY (${arrayParam(2, 'text')}) ORDER BY p.id`;

/** What it took of a message that others did not take yet, it is not given again. */
// SQL: a set-based batch
const USED = `
  UPDATE push_subscriptions SET last_used_at = now(), taken = CASE WHEN $3::boolean
    THEN array_append(taken[greatest(1, cardinality(taken) - ${String(REMEMBERED - 2)}):], $2::uuid) ELSE taken END
  WHERE id = ANY (${arrayParam(1, 'uuid')})`;

/** Only as it was when it was pushed to: one that was registered again meanwhile stays. */
// SQL: database time
const FORGET = `DELETE FROM push_subscriptions WHERE id = $1 AND sealed = $2 RETURNING id`;

// SQL: database time
const PURGE = `
  WITH ended AS MATERIALIZED (
    SELECT id FROM sessions WHERE revoked_at < now() - $2 * interval '1 millisecond'
    UNION ALL SELECT id FROM sessions WHERE expires_at < now() - $2 * interval '1 millisecond')
  DELETE FROM push_subscriptions WHERE id IN (
    SELECT p.id FROM ended e JOIN push_subscriptions p ON p.session_id = e.id LIMIT $1 FOR UPDATE OF p SKIP LOCKED)
  RETURNING id`;

/** A target as it is kept. */
export interface SealedSubscription {
  readonly userId: string;
  readonly sessionId: string;
  readonly service: PushService;
  readonly sealed: Buffer;
  readonly tokenHash: Buffer;
  readonly ending: string;
  readonly userAgent: string | null;
}

/** A target to push to. */
export interface SealedTarget {
  readonly id: string;
  readonly service: PushService;
  readonly userId: string;
  readonly sealed: Buffer;
  /** It took a push before. */
  readonly isProven: boolean;
  /** An earlier attempt of the message has reached it. */
  readonly hasTaken: boolean;
}

type SubscriptionRow = PushSubscription & Record<string, unknown>;

/** The table of push subscriptions. */
@Injectable()
export class PushSubscriptionsRepository {
  constructor(private readonly database: Database) {}

  /** The live ones of a person, oldest first. */
  list(userId: string): Promise<PushSubscription[]> {
    return this.database.query<SubscriptionRow>('push_subscriptions_list', LIST, [userId]);
  }

  async find(userId: string, id: string): Promise<PushSubscription | null> {
    const [row] = await this.database.query<SubscriptionRow>('push_subscriptions_find', FIND, [userId, id]);
    return row ?? null;
  }

  /** The one of this target, of any person. It is locked until the end of the transaction, with what the session had of the service. */
  async lockHeld({
    sessionId,
    service,
    tokenHash,
  }: Pick<SealedSubscription, 'sessionId' | 'service' | 'tokenHash'>): Promise<{ id: string; userId: string } | null> {
    const rows = await this.database.query<{ id: string; userId: string; isHeld: boolean }>(
      'push_subscriptions_lock',
      LOCK_HELD,
      [sessionId, service, tokenHash],
    );
    return rows.find(({ isHeld }) => isHeld) ?? null;
  }

  /** @returns false where another transaction has added the target meanwhile */
  async add(
    id: string,
    { userId, sessionId, service, sealed, tokenHash, ending, userAgent }: SealedSubscription,
  ): Promise<boolean> {
    const values = [id, userId, sessionId, service, sealed, tokenHash, ending, userAgent];
    return (await this.database.query('push_subscriptions_add', ADD, values)).length > 0;
  }

  async renew(id: string, { sessionId, sealed, userAgent }: SealedSubscription): Promise<void> {
    await this.database.query('push_subscriptions_renew', RENEW, [id, sessionId, sealed, userAgent]);
  }

  /** Removes what the session had of the service. @returns which */
  async replace({ sessionId, service, tokenHash }: SealedSubscription): Promise<string[]> {
    return idsOf(await this.database.query('push_subscriptions_replace', REPLACE, [sessionId, service, tokenHash]));
  }

  /** Removes those of a person beyond `others` besides this one. @returns which */
  async evict(userId: string, id: string, others: number): Promise<string[]> {
    return idsOf(await this.database.query('push_subscriptions_evict', EVICT, [userId, id, others]));
  }

  /** Null where the person has none of the id. */
  async remove(userId: string, id: string): Promise<{ service: PushService; ending: string } | null> {
    const [row] = await this.database.query<{ service: PushService; ending: string }>(
      'push_subscriptions_remove',
      REMOVE,
      [userId, id],
    );
    return row ?? null;
  }

  /** Those of these people who have a live one of one of these services. */
  async reachable(userIds: readonly string[], services: readonly PushService[]): Promise<Set<string>> {
    const values = [userIds, services];
    const rows = await this.database.query<{ userId: string }>('push_subscriptions_reachable', REACHABLE, values);
    return new Set(rows.map(({ userId }) => userId));
  }

  /** The live ones of a person, for a message. */
  targets(userId: string, services: readonly PushService[], messageId: string): Promise<SealedTarget[]> {
    const values = [userId, services, messageId];
    return this.database.query<SealedTarget & Record<string, unknown>>('push_subscriptions_targets', TARGETS, values);
  }

  /** These took a message. `isRemembered`: it will be tried again for others. */
  async markUsed(ids: readonly string[], messageId: string, isRemembered: boolean): Promise<void> {
    await this.database.query('push_subscriptions_used', USED, [ids, messageId, isRemembered]);
  }

  /** @returns false where it was registered again meanwhile */
  async forget({ id, sealed }: Pick<SealedTarget, 'id' | 'sealed'>): Promise<boolean> {
    return idsOf(await this.database.query('push_subscriptions_forget', FORGET, [id, sealed])).length > 0;
  }

  /** Those of sessions that ended so long ago. @returns how many of at most `limit` were deleted */
  async purge(limit: number, keptMs: number): Promise<number> {
    return idsOf(await this.database.query('push_subscriptions_purge', PURGE, [limit, keptMs])).length;
  }
}

function idsOf(rows: readonly { id?: string }[]): string[] {
  return rows.map(({ id }) => id ?? '');
}

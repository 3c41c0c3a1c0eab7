import { Injectable } from '@nestjs/common';
import { type IdempotencyClaim, requestContext } from '../context/request-context.js';
import { Database } from '../prisma/database.js';
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError } from './idempotency.errors.js';

/** How long a key is remembered. */
export const IDEMPOTENCY_TTL_HOURS = 24;

/**
 * One key, one execution. The claim is part of the caller's transaction: it stands exactly if the resource does. Only
 * the id of what was made is kept, never an answer, so no secret is stored.
 */
@Injectable()
export class Idempotency {
  constructor(private readonly database: Database) {}

  /**
   * Runs `make` unless an earlier request with the same key did. Call it inside the transaction that makes the resource.
   * @returns the id of the resource, and whether this request is a repeat.
   * @throws IdempotencyKeyInUseError while the first request runs; IdempotencyKeyReusedError for another request.
   */
  async once(make: () => Promise<string>): Promise<{ id: string; repeated: boolean }> {
    const claim = requestContext()?.idempotency;
    if (!claim) {
      return { id: await make(), repeated: false };
    }
    // One after the other on the same connection, without a round trip in between.
    const [, earlier] = await Promise.all([this.lock(claim), this.find(claim)]);
    if (earlier) {
      if (!earlier.request_hash.equals(claim.requestHash)) {
        throw new IdempotencyKeyReusedError();
      }
      markNothingChanged();
      return { id: earlier.resource_id, repeated: true };
    }
    const id = await make();
    await this.remember(claim, id);
    return { id, repeated: false };
  }

  /** Forgets keys past their time, oldest first. @returns how many; less than `limit` when none is left. */
  async purge(limit: number): Promise<number> {
    const rows = await this.database.query<{ key: string }>(
      'idempotency_purge',
      `DELETE FROM idempotency_records WHERE ctid IN (
         SELECT ctid FROM idempotency_records WHERE created_at < now() - make_interval(hours => $1) ORDER BY created_at LIMIT $2
       ) RETURNING key`,
      [IDEMPOTENCY_TTL_HOURS, limit],
    );
    return rows.length;
  }

  /** A second insert would wait for the first transaction to end; a lock that is tried answers at once. */
  private async lock(claim: IdempotencyClaim): Promise<void> {
    const [row] = await this.database.query<{ locked: boolean }>(
      'idempotency_lock',
      'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS locked',
      [[claim.userId, claim.route, claim.key].join('\n')],
    );
    if (row?.locked !== true) {
      throw new IdempotencyKeyInUseError();
    }
  }

  private async find(claim: IdempotencyClaim): Promise<{ request_hash: Buffer; resource_id: string } | undefined> {
    const [row] = await this.database.query<{ request_hash: Buffer; resource_id: string }>(
      'idempotency_find',
      `SELECT request_hash, resource_id FROM idempotency_records
       WHERE user_id = $1 AND route = $2 AND key = $3 AND created_at >= now() - make_interval(hours => $4)`,
      [claim.userId, claim.route, claim.key, IDEMPOTENCY_TTL_HOURS],
    );
    return row;
  }

  private async remember(claim: IdempotencyClaim, resourceId: string): Promise<void> {
    await this.database.execute(
      'idempotency_remember',
      `INSERT INTO idempotency_records (user_id, route, key, request_hash, resource_id) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (user_id, route, key) DO UPDATE
         SET request_hash = excluded.request_hash, resource_id = excluded.resource_id, created_at = now()`,
      [claim.userId, claim.route, claim.key, claim.requestHash, resourceId],
    );
  }
}

/** A repeat leaves everything as it was, so there is nothing to audit: the first request's entry says it all. */
function markNothingChanged(): void {
  const intent = requestContext()?.audit;
  if (intent) {
    intent.recorded = true;
  }
}

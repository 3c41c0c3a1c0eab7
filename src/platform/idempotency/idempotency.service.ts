import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { sortedJson } from '../../shared/sorted-json.js';
import { type IdempotencyClaim, requestContext } from '../context/request-context.js';
import { deriveKey } from '../crypto/derived-key.js';
import { Database } from '../prisma/database.js';
import { arrayParam } from '../prisma/array-param.js';
import { Transactions } from '../prisma/transactions.js';
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError } from './idempotency.errors.js';

/** How long a key is remembered. */
export const IDEMPOTENCY_TTL_HOURS = 24;

/**
 * One key, one execution. The claim is part of the caller's transaction: it stands exactly if the resource does. Only
 * the id of what was made is kept, never an answer, so no secret is stored.
 */
@Injectable()
export class IdempotencyService {
  readonly #key: Buffer;

  constructor(
    private readonly database: Database,
    private readonly transactions: Transactions,
    config: AppConfig,
  ) {
    this.#key = deriveKey(config.masterKey(), 'compare_requests');
  }

  /** {@link once} in a transaction of its own. @returns the id, also to a repeat. */
  run(make: () => Promise<string>): Promise<string> {
    return this.transactions.run(async () => (await this.once(make)).id);
  }

  /** The same for a change of what has this id already. */
  async change(id: string, work: () => Promise<unknown>): Promise<void> {
    await this.run(async () => {
      await work();
      return id;
    });
  }

  /**
   * Runs `make` unless an earlier request with the same key did. Call it inside the transaction that makes the resource.
   * @param body what the body asks for, where its class does not read all of it
   * @returns the id of the resource, and whether this request is a repeat.
   * @throws IdempotencyKeyInUseError while the first request runs; IdempotencyKeyReusedError for another request.
   */
  async once(make: () => Promise<string>, body?: object): Promise<{ id: string; repeated: boolean }> {
    const sent = requestContext()?.idempotency;
    if (!sent) {
      return { id: await make(), repeated: false };
    }
    const claim = body ? { ...sent, asked: { ...sent.asked, body } } : sent;
    const [earlier] = await this.claimEach([claim]);
    if (earlier instanceof Error) {
      throw earlier;
    }
    if (typeof earlier === 'string') {
      this.nothingChanged();
      return { id: earlier, repeated: true };
    }
    const id = await make();
    await this.rememberEach([{ claim, id }]);
    return { id, repeated: false };
  }

  /**
   * Claims the keys of many requests for the surrounding transaction; say with {@link rememberEach} what they made.
   * @returns for each null when it may go on, the id of what an earlier request made, or the error that stands against
   *   it. A request without a key may always go on.
   */
  async claimEach(claims: readonly (IdempotencyClaim | undefined)[]): Promise<(string | Error | null)[]> {
    const keyed = claims.filter((claim) => claim !== undefined);
    if (keyed.length === 0) {
      return claims.map(() => null);
    }
    // One after the other on the same connection, without a round trip in between.
    const [locked, earlier] = await Promise.all([this.lock(keyed), this.find(keyed)]);
    const verdicts = new Map<IdempotencyClaim, string | Error | null>();
    const seen = new Set<string>();
    keyed.forEach((claim, index) => {
      // A transaction takes a lock of its own twice.
      const busy = locked[index] !== true || seen.has(nameOf(claim));
      seen.add(nameOf(claim));
      verdicts.set(claim, busy ? new IdempotencyKeyInUseError() : this.verdictOn(claim, earlier[index]));
    });
    return claims.map((claim) => (claim && verdicts.get(claim)) ?? null);
  }

  /** Remembers what requests made whose keys this transaction claimed. */
  async rememberEach(made: readonly { claim: IdempotencyClaim; id: string }[]): Promise<void> {
    if (made.length === 0) {
      return;
    }
    // SQL: a set-based batch
    await this.database.execute(
      'idempotency_remember',
      `INSERT INTO idempotency_records (user_id, route, key, request_hash, resource_id)
       SELECT * FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'text')}, ${arrayParam(3, 'text')}, ${arrayParam(4, 'bytea')}, ${arrayParam(5, 'uuid')})
       ON CONFLICT (user_id, route, key) DO UPDATE
         SET request_hash = excluded.request_hash, resource_id = excluded.resource_id, created_at = now()`,
      [
        made.map(({ claim }) => claim.userId),
        made.map(({ claim }) => claim.route),
        made.map(({ claim }) => claim.key),
        made.map(({ claim }) => this.hash(claim)),
        made.map(({ id }) => id),
      ],
    );
  }

  /** A repeat leaves everything as it was, so there is nothing to audit: the first request's entry says it all. */
  nothingChanged(): void {
    const current = requestContext();
    if (current) {
      current.replayed = true;
    }
    if (current?.audit) {
      current.audit.recorded = true;
    }
  }

  /** Whether an earlier request with this key was done. @throws IdempotencyKeyReusedError for another request. */
  async isRepeat(): Promise<boolean> {
    const claim = requestContext()?.idempotency;
    if (!claim) {
      return false;
    }
    const [earlier] = await this.find([claim]);
    const verdict = this.verdictOn(claim, earlier);
    if (verdict instanceof Error) {
      throw verdict;
    }
    return verdict !== null;
  }

  /** Forgets keys past their time, oldest first. @returns how many; less than `limit` when none is left. */
  async purge(limit: number, keptMs: number): Promise<number> {
    // SQL: database time
    const rows = await this.database.query<{ key: string }>(
      'idempotency_purge',
      `DELETE FROM idempotency_records WHERE ctid IN (
         SELECT ctid FROM idempotency_records WHERE created_at < now() - $2 * interval '1 millisecond'
         ORDER BY created_at LIMIT $1
       ) RETURNING key`,
      [limit, keptMs],
    );
    return rows.length;
  }

  private verdictOn(claim: IdempotencyClaim, earlier: Earlier | undefined): string | Error | null {
    if (!earlier?.request_hash) {
      return null;
    }
    return earlier.request_hash.equals(this.hash(claim)) ? earlier.resource_id : new IdempotencyKeyReusedError();
  }

  /**
   * Of what was asked, however it was written down. Keyed, because a body may hold a password, and a hash without a key lets
   * it be guessed.
   */
  private hash({ asked: { params, query, body } }: IdempotencyClaim): Buffer {
    return createHmac('sha256', this.#key)
      .update(sortedJson([params, query, body ?? null]))
      .digest();
  }

  /** A second insert would wait for the first transaction to end; a lock that is tried answers at once. */
  private async lock(claims: readonly IdempotencyClaim[]): Promise<boolean[]> {
    // SQL: a lock
    const rows = await this.database.query<{ locked: boolean }>(
      'idempotency_lock',
      `SELECT pg_try_advisory_xact_lock(hashtextextended(c.name, 0)) AS locked
       FROM unnest(${arrayParam(1, 'text')}) WITH ORDINALITY AS c(name, place) ORDER BY c.place`,
      [claims.map(nameOf)],
    );
    return rows.map(({ locked }) => locked);
  }

  private find(claims: readonly IdempotencyClaim[]): Promise<Earlier[]> {
    // SQL: a set-based batch
    return this.database.queryHot<Earlier>(
      'idempotency_find',
      `SELECT r.request_hash, r.resource_id
       FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'text')}, ${arrayParam(3, 'text')}) WITH ORDINALITY AS c(user_id, route, key, place)
       LEFT JOIN idempotency_records r ON r.user_id = c.user_id AND r.route = c.route AND r.key = c.key
         AND r.created_at >= now() - make_interval(hours => $4)
       ORDER BY c.place`,
      [
        claims.map(({ userId }) => userId),
        claims.map(({ route }) => route),
        claims.map(({ key }) => key),
        IDEMPOTENCY_TTL_HOURS,
      ],
    );
  }
}

/** What an earlier request with the key made; nulls where there was none. */
interface Earlier {
  request_hash: Buffer | null;
  resource_id: string | null;
}

function nameOf({ userId, route, key }: IdempotencyClaim): string {
  return [userId, route, key].join('\n');
}

import { Injectable } from '@nestjs/common';
import { Prisma } from '../../generated/prisma/client.js';
import { Database } from '../prisma/database.js';
import type { KeyAge } from './key-plan.js';
import type { KeyPurpose, KeyRecord, KeyState, PublicJwk, SigningAlgorithm, StoredKey } from './signing-key.js';

/** Locks take a set of 16 at most (docs/protocol.md). */
export const MAX_USABLE_KEYS = 16;
const MAX_LISTED = 200;

// SQL: database time
const AGES = `
  SELECT kid, algorithm, state::text AS state, (extract(epoch FROM now() - changed_at) * 1000)::float8 AS "ageMs"
  FROM signing_keys WHERE purpose = $1 AND state <> 'retired' ORDER BY created_at DESC`;

// SQL: database time
const MOVE = `
  UPDATE signing_keys SET state = $3::text::key_state, changed_at = now()
  WHERE kid = $1 AND state = $2::text::key_state RETURNING kid`;

// SQL: database time: it destroys the private half, so that a later reader of the table cannot sign with it.
const RETIRE = `
  UPDATE signing_keys SET state = 'retired', changed_at = now(), sealed_private = ''
  WHERE kid = $1 AND state IN ('next', 'passive') RETURNING kid`;

// SQL: a set-based batch
const RETIRE_ALL = `
  WITH retired AS (
    UPDATE signing_keys SET state = 'retired', changed_at = now(), sealed_private = ''
     WHERE purpose = $1 AND state <> 'retired' RETURNING 1)
  SELECT count(*)::int AS retired FROM retired`;

/** Their private halves are gone already; none comes back from there. */
// SQL: a set-based batch
const PURGE = `
  DELETE FROM signing_keys WHERE kid IN (
    SELECT kid FROM signing_keys WHERE state = 'retired' AND changed_at < now() - $2 * interval '1 millisecond'
    ORDER BY changed_at LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

// SQL: a lock
const LOCK = `SELECT pg_advisory_xact_lock(hashtext('signing_keys:' || $1))`;

@Injectable()
export class SigningKeysRepository {
  constructor(private readonly database: Database) {}

  /** Every key that signs or verifies, newest first. */
  async listUsable(purpose: KeyPurpose): Promise<StoredKey[]> {
    const rows = await this.database.prisma((prisma) =>
      prisma.signingKey.findMany({
        where: { purpose, state: { not: 'retired' } },
        select: { kid: true, algorithm: true, publicJwk: true, sealedPrivate: true, state: true },
        orderBy: { createdAt: 'desc' },
        take: MAX_USABLE_KEYS,
      }),
    );
    return rows.map((row) => ({
      ...row,
      purpose,
      algorithm: row.algorithm as SigningAlgorithm,
      publicJwk: row.publicJwk as unknown as PublicJwk,
    }));
  }

  /** The keys of all purposes, also retired ones, newest first; without their private halves. */
  async list(): Promise<KeyRecord[]> {
    const rows = await this.database.prisma((prisma) =>
      prisma.signingKey.findMany({
        select: { kid: true, purpose: true, algorithm: true, state: true, createdAt: true, changedAt: true },
        orderBy: [{ createdAt: 'desc' }, { kid: 'asc' }],
        take: MAX_LISTED,
      }),
    );
    return rows.map((row) => ({
      ...row,
      purpose: row.purpose as KeyPurpose,
      algorithm: row.algorithm as SigningAlgorithm,
    }));
  }

  async findPurpose(kid: string): Promise<KeyPurpose | null> {
    const key = await this.database.prisma((prisma) =>
      prisma.signingKey.findUnique({ where: { kid }, select: { purpose: true } }),
    );
    return (key?.purpose as KeyPurpose | undefined) ?? null;
  }

  /** How long each usable key has been in its state. */
  ages(purpose: KeyPurpose): Promise<KeyAge[]> {
    return this.database.query<KeyAge>('signing_keys_ages', AGES, [purpose]);
  }

  /** One process at a time holds this lock, until its transaction ends. */
  async lock(purpose: KeyPurpose): Promise<void> {
    await this.database.query('signing_keys_lock', LOCK, [purpose]);
  }

  async insert(key: StoredKey): Promise<void> {
    await this.database.prisma((prisma) =>
      prisma.signingKey.create({
        data: { ...key, publicJwk: { ...key.publicJwk } satisfies Prisma.InputJsonObject },
        select: { kid: true },
      }),
    );
  }

  async move(kid: string, from: KeyState, to: KeyState): Promise<void> {
    const moved = await this.database.query('signing_keys_move', MOVE, [kid, from, to]);
    if (moved.length !== 1) {
      throw new Error(`The signing key ${kid} is no longer ${from}.`);
    }
  }

  async retire(kid: string): Promise<void> {
    if ((await this.database.query('signing_keys_retire', RETIRE, [kid])).length !== 1) {
      throw new Error(`The signing key ${kid} could not be retired.`);
    }
  }

  /** Retires every key of a purpose: the process that needs one next makes it. @returns how many */
  async retireAll(purpose: KeyPurpose): Promise<number> {
    const [row] = await this.database.query<{ retired: number }>('signing_keys_retire_all', RETIRE_ALL, [purpose]);
    return row?.retired ?? 0;
  }

  /** Forgets retired keys. @returns how many of at most `limit`. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('signing_keys_purge', PURGE, [limit, keptMs])).length;
  }
}

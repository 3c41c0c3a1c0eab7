import { Injectable } from '@nestjs/common';
import { Prisma } from '../../generated/prisma/client.js';
import { Database } from '../prisma/database.js';
import type { KeyPurpose, PublicJwk, SigningAlgorithm, StoredKey } from './signing-key.js';

/** Keys of one purpose at a time are few: they live for months. */
const MAX_KEYS = 50;

@Injectable()
export class SigningKeysRepository {
  constructor(private readonly database: Database) {}

  /** Every key that still signs or verifies, the newest first. */
  async listUsable(purpose: KeyPurpose): Promise<StoredKey[]> {
    const rows = await this.database.prisma((prisma) => prisma.signingKey.findMany({
      where: { purpose, state: { not: 'retired' } },
      select: { kid: true, algorithm: true, publicJwk: true, sealedPrivate: true, state: true },
      orderBy: { createdAt: 'desc' },
      take: MAX_KEYS,
    }));
    return rows.map((row) => ({
      ...row,
      purpose,
      algorithm: row.algorithm as SigningAlgorithm,
      publicJwk: row.publicJwk as unknown as PublicJwk,
    }));
  }

  /** Held to the end of the transaction, by one process at a time. */
  async lock(purpose: KeyPurpose): Promise<void> {
    await this.database.query('signing_keys_lock', `SELECT pg_advisory_xact_lock(hashtext('signing_keys:' || $1))`, [
      purpose,
    ]);
  }

  async insert(key: StoredKey): Promise<void> {
    await this.database.prisma((prisma) => prisma.signingKey.create({
      data: { ...key, publicJwk: { ...key.publicJwk } satisfies Prisma.InputJsonObject },
      select: { kid: true },
    }));
  }
}

import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';

/** Codes that activate devices, at most one of each. All times are the database's. */
@Injectable()
export class ActivationsRepository {
  constructor(private readonly database: Database) {}

  /** Replaces an earlier code of the device. @returns when it expires */
  async put(code: {
    deviceId: string;
    madeBy: string;
    codeHash: Buffer;
    sealed: Buffer;
    ttlMs: number;
  }): Promise<Date> {
    // SQL: database time
    const [row] = await this.database.query<{ expires_at: Date }>(
      'activations_put',
      `INSERT INTO device_activations (device_id, code_hash, sealed, expires_at, made_by)
       VALUES ($1, $2, $3, now() + $4 * interval '1 millisecond', $5)
       ON CONFLICT (device_id) DO UPDATE SET code_hash = excluded.code_hash, sealed = excluded.sealed,
         expires_at = excluded.expires_at, made_by = excluded.made_by, created_at = now()
       RETURNING expires_at`,
      [code.deviceId, code.codeHash, code.sealed, code.ttlMs, code.madeBy],
    );
    if (!row) {
      throw new Error('PostgreSQL returned no activation.');
    }
    return row.expires_at;
  }

  /** The valid code of a device, encrypted. */
  async find(deviceId: string): Promise<{ sealed: Buffer; expiresAt: Date; madeBy: string | null } | null> {
    // SQL: database time
    const [row] = await this.database.query<{ sealed: Buffer; expiresAt: Date; madeBy: string | null }>(
      'activations_find',
      `SELECT sealed, expires_at AS "expiresAt", made_by AS "madeBy" FROM device_activations
       WHERE device_id = $1 AND expires_at > now()`,
      [deviceId],
    );
    return row ?? null;
  }

  /** Whether this is the valid code of the device. Takes no lock. */
  async isValid(deviceId: string, codeHash: Buffer): Promise<boolean> {
    // SQL: database time
    const rows = await this.database.query(
      'activations_check',
      'SELECT 1 FROM device_activations WHERE device_id = $1 AND code_hash = $2 AND expires_at > now()',
      [deviceId, codeHash],
    );
    return rows.length === 1;
  }

  /**
   * Consumes a code: of any number of uses, one finds it. Call it with the device locked.
   * @returns who made it; null when there is no such code
   */
  async consume(deviceId: string, codeHash: Buffer): Promise<{ madeBy: string | null } | null> {
    // SQL: database time
    const [row] = await this.database.query<{ madeBy: string | null }>(
      'activations_consume',
      `DELETE FROM device_activations WHERE device_id = $1 AND code_hash = $2 AND expires_at > now()
       RETURNING made_by AS "madeBy"`,
      [deviceId, codeHash],
    );
    return row ?? null;
  }

  /** Ends the code of a device, if it has one. */
  async end(deviceId: string): Promise<void> {
    await this.database.prisma((prisma) => prisma.deviceActivation.deleteMany({ where: { deviceId } }));
  }

  /** Ends the codes of all devices. @returns how many */
  async endAll(): Promise<number> {
    return (await this.database.prisma((prisma) => prisma.deviceActivation.deleteMany())).count;
  }

  /** @returns how many expired ones of at most `limit` were deleted. */
  async purge(limit: number, keptMs: number): Promise<number> {
    // SQL: a set-based batch
    const rows = await this.database.query(
      'activations_purge',
      `DELETE FROM device_activations WHERE device_id IN (
         SELECT device_id FROM device_activations WHERE expires_at < now() - $2 * interval '1 millisecond'
         ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
       ) RETURNING device_id`,
      [limit, keptMs],
    );
    return rows.length;
  }
}

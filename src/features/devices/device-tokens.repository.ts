import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/prisma/database.js';

@Injectable()
export class DeviceTokensRepository {
  constructor(private readonly database: Database) {}

  /** Whether the token with this hash belongs to the device, and is not revoked. */
  async isValid(deviceId: string, tokenHash: Buffer): Promise<boolean> {
    // SQL: one round trip on a hot path: every connect of a device
    const rows = await this.database.query(
      'device_tokens_verify',
      'SELECT 1 FROM device_credentials WHERE token_hash = $2 AND device_id = $1 AND revoked_at IS NULL',
      [deviceId, tokenHash],
    );
    return rows.length === 1;
  }

  /** The owners of these devices, by device. */
  async listOwners(deviceIds: readonly string[]): Promise<Map<string, string>> {
    const devices = await this.database.prisma((prisma) =>
      prisma.device.findMany({ where: { id: { in: [...deviceIds] } }, select: { id: true, ownerId: true } }),
    );
    return new Map(devices.map(({ id, ownerId }) => [id, ownerId]));
  }

  /** Those of these devices that have a valid token. */
  async listWithToken(deviceIds: readonly string[]): Promise<Set<string>> {
    // SQL: a set-based batch
    const rows = await this.database.query<{ device_id: string }>(
      'device_tokens_live',
      'SELECT DISTINCT device_id FROM device_credentials WHERE device_id = ANY($1::uuid[]) AND revoked_at IS NULL',
      [deviceIds],
    );
    return new Set(rows.map((row) => row.device_id));
  }

  /** Forgets revoked tokens: an unknown one is refused as a revoked one is. @returns how many of at most `limit`. */
  async purge(limit: number, keptMs: number): Promise<number> {
    // SQL: a set-based batch
    const rows = await this.database.query(
      'device_tokens_purge',
      `DELETE FROM device_credentials WHERE id IN (
         SELECT id FROM device_credentials WHERE revoked_at < now() - $2 * interval '1 millisecond'
         ORDER BY revoked_at LIMIT $1 FOR UPDATE SKIP LOCKED
       ) RETURNING 1`,
      [limit, keptMs],
    );
    return rows.length;
  }
}

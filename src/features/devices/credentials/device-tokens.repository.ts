import { Injectable } from '@nestjs/common';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';
import { newId } from '../../../shared/ids.js';
import { tokenIsValid } from '../devices.types.js';
import type { TokenOrigin } from './credentials.types.js';

@Injectable()
export class DeviceTokensRepository {
  constructor(private readonly database: Database) {}

  /** Whether the token with this hash belongs to the device, and is valid. */
  async isValid(deviceId: string, tokenHash: Buffer): Promise<boolean> {
    // SQL: one round trip on a hot path: every connect of a device
    const rows = await this.database.query(
      'device_tokens_verify',
      `SELECT 1 FROM device_credentials t WHERE t.token_hash = $2 AND t.device_id = $1 AND ${tokenIsValid('t')}`,
      [deviceId, tokenHash],
    );
    return rows.length === 1;
  }

  /** For each of these logins, whether its token is (still) valid. */
  async findValid(logins: readonly { deviceId: string; tokenHash: Buffer }[]): Promise<boolean[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<{ valid: boolean }>(
      'device_tokens_live',
      `SELECT t.id IS NOT NULL AS valid
       FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'bytea')}) WITH ORDINALITY AS l(device_id, token_hash, place)
       LEFT JOIN device_credentials t
         ON t.token_hash = l.token_hash AND t.device_id = l.device_id AND ${tokenIsValid('t')}
       ORDER BY l.place`,
      [logins.map(({ deviceId }) => deviceId), logins.map(({ tokenHash }) => tokenHash)],
    );
    return rows.map(({ valid }) => valid);
  }

  /** The owners of these devices, by device. */
  async listOwners(deviceIds: readonly string[]): Promise<Map<string, string>> {
    const devices = await this.database.prisma((prisma) =>
      prisma.device.findMany({ where: { id: { in: [...deviceIds] } }, select: { id: true, ownerId: true } }),
    );
    return new Map(devices.map(({ id, ownerId }) => [id, ownerId]));
  }

  async add(deviceId: string, tokenHash: Buffer, origin: TokenOrigin): Promise<void> {
    const data = { id: newId(), deviceId, tokenHash: new Uint8Array(tokenHash), origin };
    await this.database.prisma((prisma) => prisma.deviceCredential.create({ data, select: { id: true } }));
  }

  /**
   * Lets the valid tokens of a device end after an overlap, or when they would have ended anyway. All but the newest `kept`
   * end at once: an overlap that begins again and again must not pile them up.
   * @returns when the last of them ends; null when there was none, or none has an overlap.
   */
  async expireAll(deviceId: string, overlapMs: number, kept: number): Promise<Date | null> {
    // SQL: database time
    const rows = await this.database.query<{ expires_at: Date | null }>(
      'device_tokens_expire',
      `UPDATE device_credentials t SET
         expires_at = CASE WHEN v.place <= $3 AND $2 > 0
           THEN least(t.expires_at, now() + $2 * interval '1 millisecond') ELSE t.expires_at END,
         revoked_at = CASE WHEN v.place <= $3 AND $2 > 0 THEN NULL ELSE now() END
       FROM (SELECT id, row_number() OVER (ORDER BY created_at DESC, id DESC) AS place
             FROM device_credentials t WHERE t.device_id = $1 AND ${tokenIsValid('t')}) v
       WHERE t.id = v.id
       RETURNING CASE WHEN t.revoked_at IS NULL THEN t.expires_at END AS expires_at`,
      [deviceId, overlapMs, kept],
    );
    const ends = rows.flatMap(({ expires_at: end }) => (end === null ? [] : [end.getTime()]));
    return ends.length === 0 ? null : new Date(Math.max(...ends));
  }

  /** Revokes every token of a device. @returns how many were valid */
  async revoke(deviceId: string): Promise<number> {
    // SQL: database time
    const rows = await this.database.query(
      'device_tokens_revoke',
      `UPDATE device_credentials t SET revoked_at = now()
       WHERE t.device_id = $1 AND ${tokenIsValid('t')} RETURNING t.id`,
      [deviceId],
    );
    return rows.length;
  }

  /** Forgets tokens that ended: an unknown one is refused as they are. @returns how many of at most `limit`. */
  async purge(limit: number, keptMs: number): Promise<number> {
    // SQL: a set-based batch
    const rows = await this.database.query(
      'device_tokens_purge',
      `DELETE FROM device_credentials WHERE id IN (
         SELECT id FROM device_credentials
         WHERE revoked_at < now() - $2 * interval '1 millisecond' OR expires_at < now() - $2 * interval '1 millisecond'
         LIMIT $1 FOR UPDATE SKIP LOCKED
       ) RETURNING 1`,
      [limit, keptMs],
    );
    return rows.length;
  }
}

import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import { isUniqueViolation } from '../../../platform/prisma/prisma-errors.js';
import type { CreationPosition } from '../../../shared/cursor.js';
import { newId } from '../../../shared/ids.js';
import { canActSql } from '../../users/account-standing.types.js';
import { HardwareIdTakenError } from '../devices.errors.js';
import type { Transfer } from './transfers.types.js';

const COLUMNS = `t.id, t.device_id AS "deviceId", d.name AS "deviceName", t.from_id AS "fromId", u.display_name AS "senderName",
  t.email, t.expires_at AS "expiresAt", t.created_at AS "createdAt"`;
/** Its sender owns the device and can act: else it could not be accepted. */
const OPEN = `FROM device_transfers t JOIN devices d ON d.id = t.device_id AND d.owner_id = t.from_id
  JOIN users u ON u.id = t.from_id AND ${canActSql('u')} WHERE t.expires_at > now()`;

/** What belongs to the ownership, and what the last owner could read of the state. */
const FORGOTTEN = `organization_id = NULL, room = NULL, location = NULL, latitude = NULL, longitude = NULL, metadata = '{}',
  status = 'unknown', lock_state = NULL, lock_state_at = NULL, lock_jammed_at = NULL, door_state = NULL, door_state_at = NULL,
  battery = NULL, battery_at = NULL, rssi = NULL, rssi_at = NULL, last_seen_at = NULL, born_at = NULL, version = version + 1, updated_at = now()`;

/** Offers of devices, and the change of the owner. */
@Injectable()
export class TransfersRepository {
  constructor(private readonly database: Database) {}

  /** @returns the id; null when an earlier offer of the device is open. */
  async offer(offer: {
    deviceId: string;
    fromId: string;
    email: string;
    tokenHash: Buffer;
    ttlMs: number;
  }): Promise<string | null> {
    // SQL: database time
    const [row] = await this.database.query<{ id: string }>(
      'transfers_offer',
      `INSERT INTO device_transfers AS t (id, device_id, from_id, email, token_hash, expires_at)
       VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond')
       ON CONFLICT (device_id) DO UPDATE SET id = excluded.id, from_id = excluded.from_id, email = excluded.email,
         token_hash = excluded.token_hash, expires_at = excluded.expires_at, created_at = now()
       WHERE t.expires_at <= now() OR t.from_id <> excluded.from_id
       RETURNING id`,
      [newId(), offer.deviceId, offer.fromId, offer.email, offer.tokenHash, offer.ttlMs],
    );
    return row?.id ?? null;
  }

  findOfDevice(deviceId: string): Promise<Transfer | null> {
    return this.findOpen('device_id', deviceId);
  }

  /** Takes no lock. */
  findByToken(tokenHash: Buffer): Promise<Transfer | null> {
    return this.findOpen('token_hash', tokenHash);
  }

  /** The same by its id. */
  findById(id: string): Promise<Transfer | null> {
    return this.findOpen('id', id);
  }

  /** What is offered to the account, oldest first; one more than `limit`, if there are more. */
  listOffered(userId: string, limit: number, after: CreationPosition | null): Promise<Transfer[]> {
    // SQL: a keyset
    return this.database.query(
      'transfers_offered',
      `SELECT ${COLUMNS} ${OPEN} AND t.email = (SELECT r.email FROM users r WHERE r.id = $1)
         AND ($3::timestamptz IS NULL OR (t.created_at, t.id) > ($3, $4::uuid))
       ORDER BY t.created_at, t.id LIMIT $2`,
      [userId, limit + 1, ...(after ?? [null, null])],
    );
  }

  /** Ends an offer for the account that it is for: of any number of answers, one finds it. */
  async take(id: string, userId: string): Promise<boolean> {
    // SQL: database time
    const rows = await this.database.query(
      'transfers_take',
      `DELETE FROM device_transfers t USING users r
       WHERE t.id = $1 AND r.id = $2 AND r.email = t.email AND t.expires_at > now() RETURNING t.id`,
      [id, userId],
    );
    return rows.length === 1;
  }

  /** Ends the offer of a device. @returns its id and address; null when none is open. */
  async cancel(deviceId: string): Promise<{ id: string; email: string } | null> {
    // SQL: database time
    const [row] = await this.database.query<{ id: string; email: string }>(
      'transfers_cancel',
      `DELETE FROM device_transfers t WHERE t.device_id = $1 AND t.expires_at > now() RETURNING t.id, t.email`,
      [deviceId],
    );
    return row ?? null;
  }

  /**
   * Changes the owner, who sees of the device what happens from now on. The time is the one at the end of the transaction,
   * behind what the handover wrote into the log for the earlier owner, and before what is appended from here on.
   * @throws HardwareIdTakenError when the new owner has registered the same thing
   */
  async changeOwner(deviceId: string, ownerId: string): Promise<void> {
    try {
      // SQL: database time
      await this.database.query(
        'transfers_change_owner',
        `UPDATE devices SET owner_id = $2, ${FORGOTTEN} WHERE id = $1`,
        [deviceId, ownerId],
      );
    } catch (error) {
      throw isUniqueViolation(error, 'hardware') ? new HardwareIdTakenError({ cause: error }) : error;
    }
    await this.database.prisma((prisma) => prisma.deviceDiagnostic.deleteMany({ where: { deviceId } }));
    // SQL: database time
    await this.database.executeLast(
      'transfers_owned_since',
      `UPDATE devices SET owned_since = clock_timestamp() + interval '2 milliseconds' WHERE id = $1`,
      [deviceId],
    );
    // SQL: database time: times are kept in milliseconds, and what follows must not be within the same one
    await this.database.executeLast('transfers_pause', 'SELECT pg_sleep(0.004)');
  }

  /** As it was when it was new: what its maker called it, or else its hardware id. */
  async reset(deviceId: string): Promise<void> {
    // SQL: database time
    await this.database.execute(
      'transfers_reset',
      `UPDATE devices d SET name = coalesce((SELECT p.name FROM provisioned_devices p WHERE p.id = d.id), d.hardware_id),
         ${FORGOTTEN} WHERE d.id = $1`,
      [deviceId],
    );
    await this.database.prisma((prisma) => prisma.deviceTransfer.deleteMany({ where: { deviceId } }));
  }

  /** Ends every offer. @returns how many */
  async endAll(): Promise<number> {
    return (await this.database.prisma((prisma) => prisma.deviceTransfer.deleteMany())).count;
  }

  /** @returns how many expired ones of at most `limit` were deleted. */
  async purge(limit: number, keptMs: number): Promise<number> {
    // SQL: a set-based batch
    const rows = await this.database.query(
      'transfers_purge',
      `DELETE FROM device_transfers WHERE id IN (
         SELECT id FROM device_transfers WHERE expires_at < now() - $2 * interval '1 millisecond'
         ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
       ) RETURNING id`,
      [limit, keptMs],
    );
    return rows.length;
  }

  private async findOpen(column: 'id' | 'device_id' | 'token_hash', value: string | Buffer): Promise<Transfer | null> {
    // SQL: database time
    const [row] = await this.database.query<Transfer & Record<string, unknown>>(
      `transfers_by_${column}`,
      `SELECT ${COLUMNS} ${OPEN} AND t.${column} = $1`,
      [value],
    );
    return row ?? null;
  }
}

import { Injectable } from '@nestjs/common';
import type { DeviceType } from '../../../contracts/devices.js';
import { Database } from '../../../platform/prisma/database.js';
import { isUniqueViolation } from '../../../platform/prisma/prisma-errors.js';
import type { CreationPosition } from '../../../shared/cursor.js';
import { newId } from '../../../shared/ids.js';
import type { ShareTerms } from '../domain/device-access.js';
import { AlreadySharedError } from '../sharing.errors.js';
import { SHARE_COLUMNS, type ShareRow, SHARES_WITH_GRANTORS, toShare } from '../share-rows.js';
import type { HeldShare, Share } from '../sharing.types.js';

/** A share to be given. */
export interface NewShare {
  readonly deviceId: string;
  readonly email: string;
  /** Null: the person accepts by the token. */
  readonly userId: string | null;
  readonly terms: ShareTerms;
  readonly grantedBy: string;
  /** The share of the grantor, where that is their right. */
  readonly givenUnder: string | null;
  /** Their right is their role. */
  readonly byRole: boolean;
  readonly tokenHash: Buffer;
  readonly tokenTtlMs: number;
}

/** Who gives a share, and by which right. */
type GivenBy = Pick<NewShare, 'grantedBy' | 'givenUnder' | 'byRole'>;

/** Who gives more by a change, and by which right; null when nothing more is given. And whether the share is held then. */
export interface RightToGive {
  readonly giver: GivenBy | null;
  readonly held: boolean;
}

export type HeldShareRow = ShareRow & { device_name: string; device_type: DeviceType };

/** `$n` onwards: permission, from, until, schedule, suspended. */
function termsOf({ permission, from, until, schedule, suspended }: ShareTerms): unknown[] {
  return [permission, from, until, schedule === null ? null : JSON.stringify(schedule), suspended];
}

// SQL: database time
const INSERT = `INSERT INTO device_shares (id, device_id, email, user_id, granted_by, given_under, by_role, token_hash,
    token_expires_at, permission, valid_from, valid_until, schedule, suspended_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $4::uuid IS NULL THEN $8::bytea END,
    CASE WHEN $4::uuid IS NULL THEN now() + $9 * interval '1 millisecond' END,
    $10::device_permission, $11, $12, $13::jsonb, CASE WHEN $14 THEN now() END)`;

// SQL: database time
const UPDATE = `UPDATE device_shares SET permission = $3::device_permission, valid_from = $4, valid_until = $5, schedule = $6::jsonb,
    suspended_at = CASE WHEN $7 THEN coalesce(suspended_at, now()) END, version = version + 1, updated_at = now(),
    granted_by = coalesce($9::uuid, granted_by), given_under = CASE WHEN $9::uuid IS NULL THEN given_under ELSE $10::uuid END,
    by_role = CASE WHEN $9::uuid IS NULL THEN by_role ELSE $11 END, held = $12
  WHERE device_id = $1 AND id = $2 AND ($8::int[] IS NULL OR version = ANY ($8)) RETURNING id`;

// SQL: database time
const RENEW = `UPDATE device_shares s SET token_hash = $2, token_expires_at = now() + $3 * interval '1 millisecond'
  WHERE s.id = $1 AND s.user_id IS NULL RETURNING s.id`;

const LOCK_ADDRESS = `SELECT pg_advisory_xact_lock(hashtextextended('shares:' || $1, 0))`;

const HELD = `SELECT ${SHARE_COLUMNS}, d.name AS device_name, d.type AS device_type
  FROM ${SHARES_WITH_GRANTORS} WHERE s.user_id = $1 AND (s.valid_until <= now()) IS NOT TRUE`;

/** Shares of devices. Change them with the device locked, so that those of one device change in sequence. */
@Injectable()
export class SharesRepository {
  constructor(private readonly database: Database) {}

  /** Locks a device until the end of the transaction. @returns its owner; null when there is no such device */
  async lockDevice(deviceId: string): Promise<string | null> {
    // SQL: a lock
    const [row] = await this.database.query<{ owner_id: string }>(
      'shares_lock_device',
      'SELECT owner_id FROM devices WHERE id = $1 FOR NO KEY UPDATE',
      [deviceId],
    );
    return row?.owner_id ?? null;
  }

  /**
   * How many shares the device has, how many are given to this address, and how many of those by this person. They stay as
   * many until the transaction ends: it waits for another that counts for the address.
   */
  async count(
    deviceId: string,
    email: string,
    giverId: string,
  ): Promise<{ ofDevice: number; ofEmail: number; ofGiver: number }> {
    // SQL: a lock
    await this.database.query('shares_lock_address', LOCK_ADDRESS, [email]);
    const [ofDevice, ofEmail, ofGiver] = await Promise.all([
      this.database.prisma((prisma) => prisma.deviceShare.count({ where: { deviceId } })),
      this.database.prisma((prisma) => prisma.deviceShare.count({ where: { email } })),
      this.database.prisma((prisma) => prisma.deviceShare.count({ where: { email, grantedBy: giverId } })),
    ]);
    return { ofDevice, ofEmail, ofGiver };
  }

  /** @throws AlreadySharedError */
  async create(share: NewShare): Promise<string> {
    const id = newId();
    const { deviceId, email, userId, grantedBy, givenUnder, byRole, tokenHash, tokenTtlMs, terms } = share;
    const right = [grantedBy, givenUnder, byRole];
    const values = [id, deviceId, email, userId, ...right, tokenHash, tokenTtlMs, ...termsOf(terms)];
    try {
      await this.database.query('shares_insert', INSERT, values);
      return id;
    } catch (error) {
      throw isUniqueViolation(error, 'device_shares') ? new AlreadySharedError({ cause: error }) : error;
    }
  }

  /** Gives a share that waits a new token. @returns false when its recipient has an account */
  async renewToken(id: string, tokenHash: Buffer, ttlMs: number): Promise<boolean> {
    return (await this.database.query('shares_renew_token', RENEW, [id, tokenHash, ttlMs])).length === 1;
  }

  async find(deviceId: string, id: string): Promise<Share | null> {
    // SQL: something Prisma cannot say: a share with the one it was given under, as columns
    const [row] = await this.database.query<ShareRow & Record<string, unknown>>(
      'shares_find',
      `SELECT ${SHARE_COLUMNS} FROM ${SHARES_WITH_GRANTORS} WHERE s.device_id = $1 AND s.id = $2`,
      [deviceId, id],
    );
    return row ? toShare(row) : null;
  }

  /** What is given to this address on this device. */
  async findByEmail(deviceId: string, email: string): Promise<Share | null> {
    const found = await this.database.prisma((prisma) =>
      prisma.deviceShare.findFirst({ where: { deviceId, email }, select: { id: true } }),
    );
    return found && this.find(deviceId, found.id);
  }

  /** Oldest first; one more than `limit`, if there are more. */
  async list(deviceId: string, limit: number, after: CreationPosition | null): Promise<Share[]> {
    // SQL: a keyset
    const rows = await this.database.query<ShareRow & Record<string, unknown>>(
      'shares_list',
      `SELECT ${SHARE_COLUMNS} FROM ${SHARES_WITH_GRANTORS}
       WHERE s.device_id = $1 AND ($3::timestamptz IS NULL OR (s.created_at, s.id) > ($3, $4::uuid))
       ORDER BY s.created_at, s.id LIMIT $2`,
      [deviceId, limit + 1, ...(after ?? [null, null])],
    );
    return rows.map(toShare);
  }

  /** @returns whether it was in one of these versions */
  async update(
    share: Share,
    terms: ShareTerms,
    { giver, held }: RightToGive,
    versions: readonly number[] | undefined,
  ): Promise<boolean> {
    const right = [giver?.grantedBy ?? null, giver?.givenUnder ?? null, giver?.byRole ?? false];
    const values = [share.deviceId, share.id, ...termsOf(terms), versions ?? null, ...right, held];
    return (await this.database.query('shares_update', UPDATE, values)).length === 1;
  }

  /** Ends shares of a device, with those that were given under them. @returns what ended */
  async end(deviceId: string, ids: readonly string[] | null): Promise<Share[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<ShareRow & Record<string, unknown>>(
      'shares_ending',
      `SELECT ${SHARE_COLUMNS} FROM ${SHARES_WITH_GRANTORS}
       WHERE s.device_id = $1 AND ($2::uuid[] IS NULL OR s.id = ANY ($2) OR s.given_under = ANY ($2)) ORDER BY s.created_at, s.id`,
      [deviceId, ids],
    );
    const shares = rows.map(toShare);
    await this.database.prisma((prisma) =>
      prisma.deviceShare.deleteMany({ where: { id: { in: shares.map(({ id }) => id) } } }),
    );
    return shares;
  }

  /** What a person holds, oldest first; one more than `limit`, if there are more. */
  async listHeld(userId: string, limit: number, after: CreationPosition | null): Promise<HeldShare[]> {
    // SQL: a keyset
    const rows = await this.database.query<HeldShareRow & Record<string, unknown>>(
      'shares_held',
      `${HELD} AND ($3::timestamptz IS NULL OR (s.created_at, s.id) > ($3, $4::uuid))
       ORDER BY s.created_at, s.id LIMIT $2`,
      [userId, limit + 1, ...(after ?? [null, null])],
    );
    return rows.map((row) => ({ ...toShare(row), deviceName: row.device_name, deviceType: row.device_type }));
  }

  /** The device of a share that a person holds; null when they hold no such share. */
  async deviceOfHeld(userId: string, id: string): Promise<string | null> {
    const found = await this.database.prisma((prisma) =>
      prisma.deviceShare.findFirst({ where: { userId, id }, select: { deviceId: true } }),
    );
    return found?.deviceId ?? null;
  }

  /** The time that decides. */
  async now(): Promise<Date> {
    // SQL: database time
    const [row] = await this.database.query<{ now: Date }>('shares_now', 'SELECT clock_timestamp() AS now');
    return row?.now ?? new Date();
  }
}

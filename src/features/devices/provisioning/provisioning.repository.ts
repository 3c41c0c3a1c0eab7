import { Injectable } from '@nestjs/common';
import type { DeviceType } from '../../../contracts/devices.js';
import type { FlatObject } from '../../../contracts/flat-object.js';
import { Database } from '../../../platform/prisma/database.js';
import type { CreationPosition } from '../../../shared/cursor.js';
import { canActSql } from '../../users/account-standing.types.js';
import { hardwareKey } from '../domain/hardware-key.js';
import type { InventoryFilter, InventoryScope, ProvisionedDevice, ThingToProvision } from './provisioning.types.js';

/** A row to be inserted, with its secrets as hashes. */
export type NewThing = ThingToProvision & {
  readonly id: string;
  readonly claimCodeHash: Buffer;
  readonly tokenHash: Buffer;
};

/** What of a thing becomes a device. */
export interface ClaimedThing {
  readonly id: string;
  readonly hardwareId: string;
  readonly type: DeviceType;
  readonly name: string | null;
  readonly room: string | null;
  readonly location: string | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly metadata: FlatObject;
  readonly timeZone: string | null;
  readonly firmwareVersion: string | null;
  readonly tokenHash: Buffer | null;
  /** A number without a fraction. */
  readonly orderCounter: string;
}

const COLUMNS = `p.id, p.hardware_id AS "hardwareId", p.type, p.name, p.model, p.firmware_version AS "firmwareVersion",
  p.owner_email AS "ownerEmail", p.claim_code_hash IS NOT NULL AS "hasClaimCode", p.claimed_at AS "claimedAt",
  p.created_at AS "createdAt"`;
const CLAIMED = `p.id, p.hardware_id AS "hardwareId", p.type, p.name, p.room, p.location, p.latitude, p.longitude,
  p.metadata, p.time_zone AS "timeZone", p.firmware_version AS "firmwareVersion", p.token_hash AS "tokenHash", p.order_counter AS "orderCounter"`;
/** What is there keeps its id, its maker, and the counter of its orders. */
const RENEW = `DO UPDATE SET (hardware_id, type, name, model, firmware_version, room, location, latitude, longitude, metadata, time_zone,
    claim_code_hash, token_hash, owner_email) = ROW (excluded.hardware_id, excluded.type, excluded.name, excluded.model,
    excluded.firmware_version, excluded.room, excluded.location, excluded.latitude, excluded.longitude, excluded.metadata,
    excluded.time_zone, excluded.claim_code_hash, excluded.token_hash, excluded.owner_email)
  WHERE p.claimed_at IS NULL AND ($3::uuid IS NULL OR p.provisioned_by = $3)`;
const IN_SCOPE = '($2::uuid IS NULL OR p.provisioned_by = $2)';
const BY_SCOPE = { maker: 'p.provisioned_by = $2', all: '$2::uuid IS NULL' };
const BY_CLAIM = { true: 'AND p.claimed_at IS NOT NULL', false: 'AND p.claimed_at IS NULL', any: '' };
const BY_NUMBER = { one: 'AND p.hardware_key = $5', every: '' };

/** The inventory: things that their makers have loaded, and that are claimed or wait for it. */
@Injectable()
export class ProvisioningRepository {
  constructor(private readonly database: Database) {}

  /**
   * Inserts those whose hardware id is not there yet.
   * @param renewIn the inventory in which one that is there, and not claimed, is as the list says now; null for all of it
   * @returns the ids of what was inserted or renewed, by hardware key
   */
  async insert(makerId: string, things: readonly NewThing[], renewIn?: InventoryScope): Promise<Map<string, string>> {
    const renews = renewIn !== undefined;
    // SQL: a set-based batch
    const rows = await this.database.query<{ id: string; hardware_key: string }>(
      renews ? 'provisioned_insert_or_renew' : 'provisioned_insert',
      `INSERT INTO provisioned_devices AS p (id, hardware_id, type, name, model, firmware_version, room, location, latitude, longitude,
         metadata, time_zone, claim_code_hash, token_hash, provisioned_by, owner_email)
       SELECT r.id, r.hardware_id, coalesce(r.type, 'door_lock')::device_type, r.name, r.model, r.firmware_version, r.room,
         r.location, r.latitude, r.longitude, coalesce(r.metadata, '{}'), r.time_zone, decode(r.claim_code_hash, 'hex'), decode(r.token_hash, 'hex'), $1, r.owner_email
       FROM ROWS FROM (jsonb_to_recordset($2::jsonb) AS (id uuid, hardware_id text, type text, name text, model text,
         firmware_version text, room text, location text, latitude float8, longitude float8, metadata jsonb, time_zone text,
         claim_code_hash text, token_hash text, owner_email text))
         WITH ORDINALITY AS r(id, hardware_id, type, name, model, firmware_version, room, location, latitude, longitude, metadata,
         time_zone, claim_code_hash, token_hash, owner_email, place)
       ORDER BY hardware_key(r.hardware_id)
       ON CONFLICT (hardware_key) ${renews ? RENEW : 'DO NOTHING'} RETURNING p.id, p.hardware_key`,
      [makerId, JSON.stringify(things.map(toRecord)), ...(renews ? [renewIn] : [])],
    );
    return new Map(rows.map(({ id, hardware_key: key }) => [key, id]));
  }

  /** The accounts with these e-mail addresses that can act, by address. */
  async listOwners(emails: readonly string[]): Promise<Map<string, string>> {
    // SQL: a set-based batch
    const rows = await this.database.query<{ id: string; email: string }>(
      'provisioned_owners',
      `SELECT u.id, u.email FROM users u WHERE u.email = ANY ($1::text[]) AND ${canActSql('u')}`,
      [emails],
    );
    return new Map(rows.map(({ id, email }) => [email, id]));
  }

  /** One more than `limit`, if there are more; newest first. */
  list(
    scope: InventoryScope,
    { claimed, hardwareId }: InventoryFilter,
    limit: number,
    after: CreationPosition | null,
  ): Promise<ProvisionedDevice[]> {
    const mine = scope === null ? 'all' : 'maker';
    const state = claimed === undefined ? 'any' : claimed ? 'true' : 'false';
    const [which, key] =
      hardwareId === undefined ? (['every', []] as const) : (['one', [hardwareKey(hardwareId)]] as const);
    // SQL: a keyset
    return this.database.query(
      `provisioned_list_${mine}_${state}_${which}`,
      `SELECT ${COLUMNS} FROM provisioned_devices p WHERE ${BY_SCOPE[mine]} ${BY_CLAIM[state]} ${BY_NUMBER[which]}
         AND ($3::timestamptz IS NULL OR (p.created_at, p.id) < ($3, $4::uuid))
       ORDER BY p.created_at DESC, p.id DESC LIMIT $1`,
      [limit + 1, scope, ...(after ?? [null, null]), ...key],
    );
  }

  /** Whether it is in this inventory. */
  async has(id: string, scope: InventoryScope): Promise<boolean> {
    const where = { id, ...(scope === null ? {} : { provisionedBy: scope }) };
    return (await this.database.prisma((prisma) => prisma.provisionedDevice.count({ where }))) === 1;
  }

  /** Replaces the code of a thing that is not claimed. */
  async renewCode(id: string, scope: InventoryScope, claimCodeHash: Buffer): Promise<boolean> {
    // SQL: something Prisma cannot say: the scope in the condition of the change, in one statement
    const rows = await this.database.query(
      'provisioned_renew',
      `UPDATE provisioned_devices p SET claim_code_hash = $3
       WHERE p.id = $1 AND ${IN_SCOPE} AND p.claimed_at IS NULL RETURNING p.id`,
      [id, scope, claimCodeHash],
    );
    return rows.length === 1;
  }

  /** Deletes a thing that is not claimed. @returns its hardware id; null when that changed nothing. */
  async delete(id: string, scope: InventoryScope): Promise<string | null> {
    // SQL: something Prisma cannot say: what was deleted, in one statement
    const [row] = await this.database.query<{ hardware_id: string }>(
      'provisioned_delete',
      `DELETE FROM provisioned_devices p WHERE p.id = $1 AND ${IN_SCOPE} AND p.claimed_at IS NULL RETURNING p.hardware_id`,
      [id, scope],
    );
    return row?.hardware_id ?? null;
  }

  /**
   * Consumes a code. One conditional statement, so that of any number of claims one finds it. One that names an address is for
   * the account with that address.
   */
  async claim(claimCodeHash: Buffer, userId: string): Promise<ClaimedThing | null> {
    // SQL: database time
    const [row] = await this.database.query<ClaimedThing & Record<string, unknown>>(
      'provisioned_claim',
      `UPDATE provisioned_devices p SET claimed_at = now(), claim_code_hash = NULL
       FROM users u
       WHERE p.claim_code_hash = $1 AND p.claimed_at IS NULL AND u.id = $2
         AND (p.owner_email IS NULL OR p.owner_email = u.email)
       RETURNING ${CLAIMED}`,
      [claimCodeHash, userId],
    );
    return row ?? null;
  }

  /** Gives a thing that has just been loaded to its owner, without a code. */
  async give(id: string): Promise<ClaimedThing | null> {
    // SQL: database time
    const [row] = await this.database.query<ClaimedThing & Record<string, unknown>>(
      'provisioned_give',
      `UPDATE provisioned_devices p SET claimed_at = now(), claim_code_hash = NULL
       WHERE p.id = $1 AND p.claimed_at IS NULL RETURNING ${CLAIMED}`,
      [id],
    );
    return row ?? null;
  }

  /** Makes the device of a claimed thing, with the token that it was made with. */
  async createDevice(
    ownerId: string,
    thing: ClaimedThing,
    said: { name: string; room: string | null; timeZone: string },
  ): Promise<void> {
    const { id, hardwareId, type, firmwareVersion, location, latitude, longitude, tokenHash, orderCounter } = thing;
    const credentials = tokenHash && { create: { tokenHash: new Uint8Array(tokenHash), origin: 'factory' as const } };
    await this.database.prisma((prisma) =>
      prisma.device.create({
        data: {
          ...{ id, hardwareId, type, firmwareVersion, ownerId, location, latitude, longitude, ...said },
          metadata: { ...thing.metadata },
          orderCounter: BigInt(orderCounter),
          provisioned: true,
          ...(credentials ? { credentials } : {}),
        },
        select: { id: true },
      }),
    );
  }
}

/** Names as in the record type of the statement. */
function toRecord(thing: NewThing): Record<string, unknown> {
  return {
    id: thing.id,
    hardware_id: thing.hardwareId,
    type: thing.type,
    name: thing.name,
    model: thing.model,
    firmware_version: thing.firmwareVersion,
    room: thing.room,
    location: thing.location,
    latitude: thing.position?.latitude,
    longitude: thing.position?.longitude,
    metadata: thing.metadata,
    time_zone: thing.timeZone,
    owner_email: thing.ownerEmail,
    claim_code_hash: thing.claimCodeHash.toString('hex'),
    token_hash: thing.tokenHash.toString('hex'),
  };
}

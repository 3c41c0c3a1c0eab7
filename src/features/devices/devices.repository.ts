import { Injectable } from '@nestjs/common';
import type { DeviceStatus, DeviceType, DoorState, LinkKind, LockState } from '../../contracts/devices.js';
import type { FlatObject } from '../../contracts/flat-object.js';
import { Database } from '../../platform/prisma/database.js';
import { isUniqueViolation } from '../../platform/prisma/prisma-errors.js';
import { DeviceNotFoundError, HardwareIdTakenError } from './devices.errors.js';
import { hardwareKey } from './domain/hardware-key.js';
import { type ColumnChanges, type Device, HAS_ORDER_LINK, type NewDevice, type Position } from './devices.types.js';

const COLUMNS = `d.id, d.owner_id, d.organization_id, d.name, d.type, d.hardware_id, d.room, d.location, d.latitude, d.longitude,
  d.metadata, d.time_zone, d.status, d.firmware_version, d.battery, d.battery_at, d.rssi, d.rssi_at, d.lock_state, d.lock_state_at,
  d.door_state, d.door_state_at, d.lock_calibrated, d.lock_jammed_at, d.boot_heard_at, d.last_seen_at, d.owned_since, d.provisioned,
  d.version, d.created_at, d.updated_at,
  ARRAY(SELECT l.kind::text FROM device_links l WHERE l.device_id = d.id ORDER BY l.kind) AS links,
  ${HAS_ORDER_LINK} AS reachable`;

// SQL: one round trip on a hot path: a device with its links, from one snapshot
const BY_ID = `SELECT ${COLUMNS} FROM devices d WHERE d.id = $1`;

interface DeviceRow {
  id: string;
  owner_id: string;
  organization_id: string | null;
  name: string;
  type: DeviceType;
  hardware_id: string;
  room: string | null;
  location: string | null;
  latitude: number | null;
  longitude: number | null;
  metadata: FlatObject;
  time_zone: string;
  status: DeviceStatus;
  firmware_version: string | null;
  battery: number | null;
  battery_at: Date | null;
  rssi: number | null;
  rssi_at: Date | null;
  lock_state: LockState | null;
  lock_state_at: Date | null;
  door_state: DoorState | null;
  door_state_at: Date | null;
  lock_calibrated: boolean | null;
  lock_jammed_at: Date | null;
  boot_heard_at: Date | null;
  last_seen_at: Date | null;
  owned_since: Date;
  provisioned: boolean;
  version: number;
  created_at: Date;
  updated_at: Date;
  links: LinkKind[];
  reachable: boolean;
}

/**
 * Puts devices back that came from the inventory, before they are deleted: unclaimed, without a valid code, and with the token
 * that they were made with only if that was neither revoked nor replaced: one that was ending would have no end here. Where one stood, and what was kept with it, is its owner's and goes; so does
 * its name, if the list named its owner.
 */
const TO_INVENTORY = `UPDATE provisioned_devices p SET claimed_at = NULL, claim_code_hash = NULL, owner_email = NULL,
    name = CASE WHEN p.owner_email IS NULL THEN p.name END, room = NULL, location = NULL, latitude = NULL, longitude = NULL,
    metadata = '{}', order_counter = d.order_counter, token_hash = (
      SELECT t.token_hash FROM device_credentials t
      WHERE t.device_id = d.id AND t.token_hash = p.token_hash AND t.revoked_at IS NULL AND t.expires_at IS NULL)
  FROM devices d WHERE d.id = p.id AND d.provisioned`;

/** What of a device tells of its deletion. */
export type DeletedDevice = Pick<Device, 'id' | 'ownerId' | 'name' | 'hardwareId' | 'version'>;

/** A device that has just been taken out of its organization. */
export type Withdrawn = Pick<Device, 'id' | 'ownerId' | 'version'>;

@Injectable()
export class DevicesRepository {
  constructor(private readonly database: Database) {}

  /** @throws HardwareIdTakenError when the owner has registered it already: the unique index decides. */
  async create(ownerId: string, device: NewDevice, tokenHash: Buffer): Promise<string> {
    const { position, metadata, ...rest } = device;
    try {
      const { id } = await this.database.prisma((prisma) =>
        prisma.device.create({
          data: {
            ...rest,
            ...toColumns({ position, metadata }),
            ownerId,
            credentials: { create: { tokenHash: new Uint8Array(tokenHash) } },
          },
          select: { id: true },
        }),
      );
      return id;
    } catch (error) {
      throw isUniqueViolation(error, 'hardware') ? new HardwareIdTakenError({ cause: error }) : error;
    }
  }

  /** Whether a person owns a device from the inventory with this hardware id. No index forbids that they register it, too. */
  async hasProvisioned(ownerId: string, hardwareId: string): Promise<boolean> {
    const device = await this.database.prisma((prisma) =>
      prisma.device.findFirst({
        where: { ownerId, provisioned: true, hardwareKey: hardwareKey(hardwareId) },
        select: { id: true },
      }),
    );
    return device !== null;
  }

  /** How many devices a person owns, at most `limit` of them counted. */
  countOwned(ownerId: string, limit: number): Promise<number> {
    return this.database.prisma((prisma) => prisma.device.count({ where: { ownerId }, take: limit }));
  }

  /** @throws DeviceNotFoundError */
  async get(id: string): Promise<Device> {
    // SQL: one round trip on a hot path: a device with its links, from one snapshot
    return found(id, await this.database.queryHot<DeviceRow>('devices_get', BY_ID, [id]));
  }

  /** The device, while it is this person's: a repeated request must not read that of its next owner. @throws DeviceNotFoundError */
  async getOwned(id: string, ownerId: string): Promise<Device> {
    const device = await this.get(id);
    return device.ownerId === ownerId ? device : found(id, []);
  }

  /** Locks the row until the end of the transaction. @throws DeviceNotFoundError */
  async getLocked(id: string): Promise<Device> {
    // SQL: a lock
    return found(id, await this.database.query<DeviceRow>('devices_get_locked', `${BY_ID} FOR UPDATE`, [id]));
  }

  /** Takes the devices of one member out of an organization, or all of them when `ownerId` is null. */
  async withdraw(organizationId: string, ownerId: string | null): Promise<Withdrawn[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<{ id: string; owner_id: string; version: number }>(
      'devices_withdraw',
      `UPDATE devices SET organization_id = NULL, version = version + 1, updated_at = now()
       WHERE organization_id = $1 AND ($2::uuid IS NULL OR owner_id = $2) RETURNING id, owner_id, version`,
      [organizationId, ownerId],
    );
    return rows.map((row) => ({ id: row.id, ownerId: row.owner_id, version: row.version }));
  }

  /** @returns null when it does not exist in one of these versions */
  async update(id: string, changes: ColumnChanges, versions: readonly number[] | undefined): Promise<Device | null> {
    const { position, metadata, ...rest } = changes;
    const { count } = await this.database.prisma((prisma) =>
      prisma.device.updateMany({
        where: { id, ...(versions === undefined ? {} : { version: { in: [...versions] } }) },
        data: { ...rest, ...toColumns({ position, metadata }), version: { increment: 1 } },
      }),
    );
    return count === 1 ? this.get(id) : null;
  }

  /** Counts a change that is in no column of the device. @throws DeviceNotFoundError */
  async touch(id: string): Promise<Device> {
    const device = await this.update(id, {}, undefined);
    return device ?? found(id, []);
  }

  /** Whether a device of this owner is shared, or in an organization with another member whose account is not deleted. */
  async hasShared(ownerId: string): Promise<boolean> {
    const device = await this.database.prisma((prisma) =>
      prisma.device.findFirst({
        where: {
          ownerId,
          OR: [
            { organization: { memberships: { some: { userId: { not: ownerId }, user: { deletedAt: null } } } } },
            { shares: { some: { user: { deletedAt: null } } } },
          ],
        },
        select: { id: true },
      }),
    );
    return device !== null;
  }

  /** Deletes every device of an owner, with what belongs to them. */
  async deleteAllOf(ownerId: string): Promise<DeletedDevice[]> {
    // SQL: a set-based batch
    return this.database.query<DeletedDevice & Record<string, unknown>>(
      'devices_delete_all',
      `WITH kept AS (${TO_INVENTORY} AND d.owner_id = $1)
       DELETE FROM devices WHERE owner_id = $1
       RETURNING id, owner_id AS "ownerId", name, hardware_id AS "hardwareId", version`,
      [ownerId],
    );
  }

  /** @throws an error of Prisma when it does not exist: lock it before */
  async delete(id: string): Promise<void> {
    // SQL: something Prisma cannot say: from the row of another table
    await this.database.execute('devices_to_inventory', `${TO_INVENTORY} AND d.id = $1`, [id]);
    await this.database.prisma((prisma) => prisma.device.delete({ where: { id }, select: { id: true } }));
  }
}

function found(id: string, [row]: readonly DeviceRow[]): Device {
  if (!row) {
    throw new DeviceNotFoundError(id);
  }
  return toDevice(row);
}

function toDevice(row: DeviceRow): Device {
  return {
    id: row.id,
    ownerId: row.owner_id,
    organizationId: row.organization_id,
    name: row.name,
    type: row.type,
    hardwareId: row.hardware_id,
    room: row.room,
    location: row.location,
    position: toPosition(row),
    metadata: row.metadata,
    timeZone: row.time_zone,
    status: row.status,
    firmwareVersion: row.firmware_version,
    battery: row.battery,
    batteryAt: row.battery_at,
    rssi: row.rssi,
    rssiAt: row.rssi_at,
    lockState: row.lock_state,
    lockStateAt: row.lock_state_at,
    doorState: row.door_state,
    doorStateAt: row.door_state_at,
    lockCalibrated: row.lock_calibrated,
    lockJammedAt: row.lock_jammed_at,
    bootHeardAt: row.boot_heard_at,
    links: row.links,
    reachable: row.reachable,
    lastSeenAt: row.last_seen_at,
    ownedSince: row.owned_since,
    provisioned: row.provisioned,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toPosition({ latitude, longitude }: Pick<DeviceRow, 'latitude' | 'longitude'>): Position | null {
  return latitude === null || longitude === null ? null : { latitude, longitude };
}

/** Members that are other columns; undefined ones stay as they are. */
function toColumns({
  position,
  metadata,
}: {
  position: ColumnChanges['position'];
  metadata: ColumnChanges['metadata'];
}) {
  return {
    ...(position !== undefined && { latitude: position?.latitude ?? null, longitude: position?.longitude ?? null }),
    ...(metadata !== undefined && { metadata: { ...metadata } }),
  };
}

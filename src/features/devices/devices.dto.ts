import { IsIn } from 'class-validator';
import {
  DEVICE_STATUSES,
  DEVICE_TYPES,
  type DevicePermission,
  type DeviceStatus,
  type DeviceType,
  type DoorState,
  type LinkKind,
  type LockState,
} from '../../contracts/devices.js';
import type { DeviceRef } from '../../contracts/resources.js';
import { IfGiven, OrNull } from '../../platform/http/members/if-given.js';
import { IsId } from '../../platform/http/members/id.decorator.js';
import { IsTimeZoneName } from '../../platform/http/members/time-zone.decorator.js';
import { PageQueryDto } from '../../platform/http/page-query.dto.js';
import { IsVisibleText } from '../../platform/http/visible-text.js';
import {
  DEVICE_SORTS,
  type Device,
  type DeviceListPage,
  type DeviceSort,
  type RegisteredDevice,
} from './devices.types.js';
import { IsHardwareId } from './hardware-id.decorator.js';
import { OrderKeyDto, toOrderKeyDto } from '../signing-keys/order-keys.dto.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';

export class RegisterDeviceDto {
  /**
   * Display name.
   * @example "Front door"
   */
  @IsVisibleText()
  @OftenCalled('label', 'title', 'displayName', 'deviceName')
  name!: string;

  /**
   * Kind of device.
   * @example door_lock
   */
  @IfGiven()
  @IsIn(DEVICE_TYPES)
  @OftenCalled('kind', 'deviceType', 'model')
  type?: DeviceType;

  /**
   * Serial number or MAC, as printed; kept in capitals, compared without blanks and `. _ : -`. Once for each person.
   * @example LOCK-0001
   */
  @IsHardwareId()
  @OftenCalled('serial', 'serialNumber', 'mac', 'macAddress', 'deviceId', 'id')
  hardwareId!: string;

  /**
   * Null, as when left out: in no room.
   * @example Hall
   */
  @OrNull()
  @IsVisibleText()
  @OftenCalled('location', 'zone', 'place')
  room?: string | null;

  /**
   * IANA name of the time zone it stands in.
   * @example Europe/Berlin
   */
  @IfGiven()
  @IsTimeZoneName()
  @OftenCalled('tz')
  timeZone?: string;
}

/** Members left out stay as they are. */
export class UpdateDeviceDto {
  /** @example "Front door" */
  @IfGiven()
  @IsVisibleText()
  @OftenCalled('label', 'title', 'displayName', 'deviceName')
  name?: string;

  /**
   * Null takes it out of its room.
   * @example Hall
   */
  @OrNull()
  @IsVisibleText()
  @OftenCalled('location', 'zone', 'place')
  room?: string | null;

  /** @example Europe/Berlin */
  @IfGiven()
  @IsTimeZoneName()
  @OftenCalled('tz')
  timeZone?: string;

  /**
   * The organization whose members may see or use it, by their role there; null takes it out. Only its owner may change
   * this, and only to an organization that they manage.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c66
   */
  @OrNull()
  @IsId()
  @OftenCalled('organization', 'orgId')
  organizationId?: string | null;
}

export class ListDevicesQueryDto extends PageQueryDto {
  /** Ascending, or descending with a leading minus. */
  @IfGiven()
  @IsIn(DEVICE_SORTS)
  @OftenCalled('order', 'orderBy', 'sortBy')
  sort: DeviceSort = '-createdAt';

  @IfGiven()
  @IsIn(DEVICE_TYPES)
  type?: DeviceType;

  @IfGiven()
  @IsIn(DEVICE_STATUSES)
  status?: DeviceStatus;

  @IfGiven()
  @IsVisibleText()
  @OftenCalled('location', 'zone')
  room?: string;

  /** Part of the name, room or hardware id, in any case. */
  @IfGiven()
  @IsVisibleText()
  @OftenCalled('search', 'query', 'filter', 'term')
  q?: string;
}

/** A device, with what the current user may do with it. */
export class DeviceDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  id!: string;

  /** @example "Front door" */
  name!: string;

  /** @example door_lock */
  type!: DeviceType;

  /** @example LOCK-0001 */
  hardwareId!: string;

  /** @example Hall */
  room!: string | null;

  /** @example Europe/Berlin */
  timeZone!: string;

  /**
   * `unknown` before its first birth, `inactive` after 24 hours of silence.
   * @example online
   */
  status!: DeviceStatus;

  /** @example 1.4.2 */
  firmwareVersion!: string | null;

  /**
   * Percent.
   * @example 87
   */
  battery!: number | null;

  /**
   * Received signal strength, dBm.
   * @example -58
   */
  rssi!: number | null;

  /**
   * Position of the bolt, as the lock reports it (Matter DoorLock).
   * @example locked
   */
  lockState!: LockState | null;

  /**
   * Position of the door leaf (Matter DoorLock).
   * @example closed
   */
  doorState!: DoorState | null;

  /**
   * How it is connected now; empty when it is not.
   * @example ["mqtt"]
   */
  links!: LinkKind[];

  /**
   * RFC 3339; at most a few seconds behind.
   * @example 2026-11-20T18:00:00.000Z
   */
  lastSeenAt!: string | null;

  /**
   * The organization whose members may see or use it; null when only its owner may.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c66
   */
  organizationId!: string | null;

  /**
   * What the current user may do with it; each level includes the ones before it.
   * @example admin
   */
  permission!: DevicePermission;

  /** Whether the current user owns it. */
  owned!: boolean;

  /**
   * Grows with every change; also the `ETag`.
   * @example 3
   */
  version!: number;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  createdAt!: string;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  updatedAt!: string;
}

/** One page of devices. */
export class DevicePageDto {
  items!: DeviceDto[];

  /**
   * Pass it as `cursor` for the next page; null on the last page.
   * @example WyJkZXZpY2VzOi1jcmVhdGVkQXQiLCIyMDI2LTExLTIwVDE4OjAwOjAwLjAwMFoiLCIwMTlhOWYzZS02YjFhLTdjNDQtOWQwZS0yZjZmM2ExYjhjNTUiXQ
   */
  nextCursor!: string | null;
}

/** Everything a device needs to be set up. */
export class RegisteredDeviceDto {
  device!: DeviceDto;

  /**
   * MQTT password of the device (its username is the device id). Shown once: null when an `Idempotency-Key` is repeated.
   * @example q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA
   */
  deviceToken!: string | null;

  /** What the device verifies orders with; also at `/.well-known/order-keys.json`. */
  orderKeys!: OrderKeyDto[];
}

export function toDeviceDto(device: Device, access: Pick<DeviceRef, 'permission' | 'owned'>): Readonly<DeviceDto> {
  return {
    id: device.id,
    name: device.name,
    type: device.type,
    hardwareId: device.hardwareId,
    room: device.room,
    timeZone: device.timeZone,
    status: device.status,
    firmwareVersion: device.firmwareVersion,
    battery: device.battery,
    rssi: device.rssi,
    lockState: device.lockState,
    doorState: device.doorState,
    links: [...device.links],
    lastSeenAt: device.lastSeenAt?.toISOString() ?? null,
    organizationId: device.organizationId,
    permission: access.permission,
    owned: access.owned,
    version: device.version,
    createdAt: device.createdAt.toISOString(),
    updatedAt: device.updatedAt.toISOString(),
  };
}

/** The user who registers a device owns it. */
export function toRegisteredDeviceDto({
  device,
  deviceToken,
  orderKeys,
}: RegisteredDevice): Readonly<RegisteredDeviceDto> {
  return {
    device: toDeviceDto(device, { permission: 'admin', owned: true }),
    deviceToken,
    orderKeys: orderKeys.map(toOrderKeyDto),
  };
}

/** The items are JSON already: PostgreSQL wrote them, by the columns in device-list-sql.ts. */
export function toDevicePageJson(page: DeviceListPage): string {
  return `{"items":[${page.items.join(',')}],"nextCursor":${JSON.stringify(page.nextCursor)}}`;
}

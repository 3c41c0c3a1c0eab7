import { Nested } from '../../../platform/http/members/nested.decorator.js';
import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsNumber, Max, Min } from 'class-validator';
import {
  type DevicePermission,
  type DeviceStatus,
  type DeviceType,
  DOOR_STATES,
  type DoorState,
  type LinkKind,
  LOCK_STATES,
  type LockState,
} from '../../../contracts/devices.js';
import type { DeviceRef } from '../../../contracts/resources.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import type { Device } from '../devices.types.js';
import { decideStates, type ShownState, STATE_EVIDENCES, type StateEvidence } from '../domain/device-state.js';

const SHOWN_LOCK_STATES = [...LOCK_STATES, 'unknown'] as const;
const SHOWN_DOOR_STATES = [...DOOR_STATES, 'unknown'] as const;

/** A place on the earth (WGS 84). */
export class PositionDto {
  /**
   * Degrees north, from -90 to 90.
   * @example 52.5163
   */
  @IsNumber({}, { message: 'must be a number' })
  @Min(-90, { message: 'must be from -90 to 90' })
  @Max(90, { message: 'must be from -90 to 90' })
  @OftenCalled('lat')
  latitude!: number;

  /**
   * Degrees east, from -180 to 180.
   * @example 13.3777
   */
  @IsNumber({}, { message: 'must be a number' })
  @Min(-180, { message: 'must be from -180 to 180' })
  @Max(180, { message: 'must be from -180 to 180' })
  @OftenCalled('lng', 'lon', 'long')
  longitude!: number;
}

/** A position with both of its degrees. */
export function IsPosition(): PropertyDecorator {
  return applyDecorators(
    Nested(() => PositionDto),
    ApiProperty({ type: PositionDto, nullable: true, required: false }),
  );
}

/** What a state rests on. */
class ShownStateDto {
  /**
   * `report`: the device said so, and can be heard. `stale`: it is silent, or has started again since it said so.
   * `uncalibrated`: it can be heard, and does not know its position. `none`: it never said.
   */
  @ApiProperty({ enum: STATE_EVIDENCES, example: 'report' })
  evidence!: StateEvidence;

  /**
   * RFC 3339. When it reported `lastReported`: the age is what has passed from then to the `Date` of this answer.
   * @example 2026-11-20T18:00:00.000Z
   */
  reportedAt!: string | null;
}

/** Of the bolt. */
export class ShownLockStateDto extends ShownStateDto {
  /** To be relied on now. A bolt that is jammed is not `locked`, whatever was reported. */
  @ApiProperty({ enum: SHOWN_LOCK_STATES, nullable: true, example: 'locked' })
  value!: LockState | 'unknown' | null;

  /** Also while it is not to be relied on. */
  @ApiProperty({ enum: LOCK_STATES, nullable: true, example: 'locked' })
  lastReported!: LockState | null;
}

/** Of the door leaf. */
export class ShownDoorStateDto extends ShownStateDto {
  /** To be relied on now. */
  @ApiProperty({ enum: SHOWN_DOOR_STATES, nullable: true, example: 'closed' })
  value!: DoorState | 'unknown' | null;

  /** Also while it is not to be relied on. */
  @ApiProperty({ enum: DOOR_STATES, nullable: true, example: 'closed' })
  lastReported!: DoorState | null;
}

/** The states of a device, each with what it rests on and when it was reported. */
export class DeviceStateDto {
  lock!: ShownLockStateDto;
  door!: ShownDoorStateDto;
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

  /**
   * Where it stands, in words.
   * @example Berlin, Hauptstr. 1
   */
  location!: string | null;

  /** Where it stands, in degrees. */
  @ApiProperty({ type: PositionDto, nullable: true })
  position!: PositionDto | null;

  /** What its owner keeps with it. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { floor: 2 } })
  metadata!: Readonly<Record<string, unknown>>;

  /** @example Europe/Berlin */
  timeZone!: string;

  /**
   * `unknown` before its first birth, `inactive` after 24 hours of silence, `maintenance` while a person works on it: `links` and
   * `reachable` are true all the same.
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
   * RFC 3339. When it reported that.
   * @example 2026-11-20T18:00:00.000Z
   */
  batteryAt!: string | null;

  /**
   * Received signal strength, dBm.
   * @example -58
   */
  rssi!: number | null;

  /**
   * RFC 3339. When it reported that.
   * @example 2026-11-20T18:00:00.000Z
   */
  rssiAt!: string | null;

  /**
   * Position of the bolt (Matter DoorLock) as far as it can be relied on now: `unknown` while the device is silent. Null
   * when it never reported one.
   */
  @ApiProperty({ enum: SHOWN_LOCK_STATES, nullable: true, example: 'locked' })
  lockState!: LockState | 'unknown' | null;

  /** Position of the door leaf (Matter DoorLock), likewise. */
  @ApiProperty({ enum: SHOWN_DOOR_STATES, nullable: true, example: 'closed' })
  doorState!: DoorState | 'unknown' | null;

  /** What these states rest on. */
  state!: DeviceStateDto;

  /**
   * How it is connected now; empty when it is not.
   * @example ["mqtt"]
   */
  links!: LinkKind[];

  /**
   * Whether an order would be sent to it now. A device can be `online` and out of reach: over `http` alone it gets no orders, and
   * one that sends heartbeats seldom may be asleep.
   * @example true
   */
  reachable!: boolean;

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

export function toDeviceDto(device: Device, access: Pick<DeviceRef, 'permission' | 'owned'>): Readonly<DeviceDto> {
  const { lock, door } = decideStates(device);
  return {
    id: device.id,
    name: device.name,
    type: device.type,
    hardwareId: device.hardwareId,
    room: device.room,
    location: device.location,
    position: device.position,
    metadata: device.metadata,
    timeZone: device.timeZone,
    status: device.status,
    firmwareVersion: device.firmwareVersion,
    battery: device.battery,
    batteryAt: device.batteryAt?.toISOString() ?? null,
    rssi: device.rssi,
    rssiAt: device.rssiAt?.toISOString() ?? null,
    lockState: lock.value,
    doorState: door.value,
    state: { lock: toStateDto(lock), door: toStateDto(door) },
    links: [...device.links],
    reachable: device.reachable,
    lastSeenAt: device.lastSeenAt?.toISOString() ?? null,
    organizationId: device.organizationId,
    permission: access.permission,
    owned: access.owned,
    version: device.version,
    createdAt: device.createdAt.toISOString(),
    updatedAt: device.updatedAt.toISOString(),
  };
}

function toStateDto<S extends LockState | DoorState>({ value, evidence, lastReported, reportedAt }: ShownState<S>) {
  return { value, evidence, lastReported, reportedAt: reportedAt?.toISOString() ?? null };
}

import { ApiHideProperty } from '@nestjs/swagger';
import { Equals, IsBoolean } from 'class-validator';
import type { DeviceType } from '../../contracts/devices.js';
import { IsFlatObject } from '../../platform/http/members/flat-object.decorator.js';
import type { FlatObject } from '../../contracts/flat-object.js';
import { IfGiven, OrNull } from '../../platform/http/members/if-given.js';
import { IsId } from '../../platform/http/members/id.decorator.js';
import { IsTimeZoneName } from '../../platform/http/members/time-zone.decorator.js';
import { IsVisibleText } from '../../platform/http/visible-text.js';
import { IsDeviceType } from './device-type.decorator.js';
import type { RegisteredDevice } from './devices.types.js';
import { DeviceDto, IsPosition, PositionDto, toDeviceDto } from './facts/device.dto.js';
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
  @IsDeviceType()
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
  @OftenCalled('zone')
  room?: string | null;

  /**
   * Where it stands, in words. Null, as when left out: not said.
   * @example Berlin, Hauptstr. 1
   */
  @OrNull()
  @IsVisibleText({ max: 200 })
  @OftenCalled('address', 'place', 'site')
  location?: string | null;

  /** Where it stands, in degrees. Null, as when left out: not said. */
  @OrNull()
  @IsPosition()
  @OftenCalled('coordinates', 'geo', 'gps')
  position?: PositionDto | null;

  /**
   * What you keep with it: at most 20 members, each text, a number, or true or false. Null, as when left out: nothing.
   * @example { "floor": 2, "contract": "A-17" }
   */
  @OrNull()
  @IsFlatObject()
  @OftenCalled('meta', 'tags', 'attributes', 'custom')
  metadata?: FlatObject | null;

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

  /** What a device can be told and set to depends on it, and so do its commands and settings of before. */
  @ApiHideProperty()
  @Equals(undefined, { message: 'cannot be changed: delete the device, and register it again' })
  @OftenCalled('kind', 'deviceType')
  type?: undefined;

  /**
   * Null takes it out of its room.
   * @example Hall
   */
  @OrNull()
  @IsVisibleText()
  @OftenCalled('zone')
  room?: string | null;

  /**
   * Where it stands, in words. Null takes that away.
   * @example Berlin, Hauptstr. 1
   */
  @OrNull()
  @IsVisibleText({ max: 200 })
  @OftenCalled('address', 'place', 'site')
  location?: string | null;

  /** Where it stands, in degrees. Null takes that away. */
  @OrNull()
  @IsPosition()
  @OftenCalled('coordinates', 'geo', 'gps')
  position?: PositionDto | null;

  /**
   * Replaces all that you keep with it: at most 20 members, each text, a number, or true or false. Null empties it.
   * @example { "floor": 2, "contract": "A-17" }
   */
  @OrNull()
  @IsFlatObject()
  @OftenCalled('meta', 'tags', 'attributes', 'custom')
  metadata?: FlatObject | null;

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

  /**
   * True while a person works on it, such as on its battery: its `status` is `maintenance` then, whatever its links do. False gives
   * it the status that they say.
   * @example true
   */
  @IfGiven()
  @IsBoolean()
  @OftenCalled('maintenanceMode', 'inMaintenance')
  maintenance?: boolean;
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

import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean } from 'class-validator';
import type { DeviceType } from '../../../contracts/devices.js';
import type { FlatObject } from '../../../contracts/flat-object.js';
import { IsEmailAddress } from '../../../platform/http/members/email-address.decorator.js';
import { IsFlatObject } from '../../../platform/http/members/flat-object.decorator.js';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { IsTimeZoneName } from '../../../platform/http/members/time-zone.decorator.js';
import { FieldErrorDto } from '../../../platform/http/problems/problem.dto.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { IsVisibleText } from '../../../platform/http/visible-text.js';
import { IsPosition, PositionDto } from '../facts/device.dto.js';
import { IsHardwareId } from '../hardware-id.decorator.js';
import { IsDeviceTypeName } from '../device-type.decorator.js';
import type { ProvisionResult } from './provisioning.types.js';

/**
 * A thing to be put into the inventory. Names of other backends are understood (`deviceId`, `mac`, `deviceType`, `owner.email` …),
 * null is as left out, and what lists of older backends carry beside it is left out: docs/provisioning.md has both lists.
 */
export class ThingToProvisionDto {
  /**
   * Serial number or MAC, as printed on it. Unique in the inventory, in whatever spelling.
   * @example "AA:BB:CC:00:11:22"
   */
  @IsHardwareId()
  hardwareId!: string;

  /**
   * Usual other names are understood: `doorbell` and `ip_camera` are cameras, `smart_lock` and `deadbolt` door locks, `pir` is a
   * motion sensor, `contact` a sensor, `relay` and `plug` are switches.
   * @example door_lock
   */
  @IfGiven()
  @IsDeviceTypeName()
  type?: DeviceType;

  /**
   * What it is called until its owner says otherwise; else its hardware id.
   * @example "Front door"
   */
  @IfGiven()
  @IsVisibleText()
  name?: string;

  /** @example M-200 */
  @IfGiven()
  @IsVisibleText()
  model?: string;

  /** @example 1.4.2 */
  @IfGiven()
  @IsVisibleText()
  firmwareVersion?: string;

  /** @example Hall */
  @IfGiven()
  @IsVisibleText()
  room?: string;

  /**
   * Where it stands, in words.
   * @example Berlin, Hauptstr. 1
   */
  @IfGiven()
  @IsVisibleText({ max: 200 })
  location?: string;

  /** Where it stands, in degrees. In CSV: the columns `latitude` and `longitude`, which JSON may have as well. */
  @IfGiven()
  @IsPosition()
  position?: PositionDto;

  /**
   * What its owner finds kept with it: at most 20 members, each text, a number, or true or false. In CSV: a column
   * `metadata.<name>` for each, as text.
   * @example { "floor": 2, "contract": "A-17" }
   */
  @IfGiven()
  @IsFlatObject()
  metadata?: FlatObject;

  /** @example Europe/Berlin */
  @IfGiven()
  @IsTimeZoneName()
  timeZone?: string;

  /**
   * Whose it is to be. An account that is known to have this address owns it at once; otherwise the code is mailed there, and
   * only an account with this address can use it.
   * @example grace@example.com
   */
  @IfGiven()
  @IsEmailAddress()
  ownerEmail?: string;
}

/** What became of one row. */
export class ProvisionedRowDto {
  /**
   * In CSV the line it begins on, counted from 1 with the header; in JSON lines its line; in a list of JSON its place, counted from 1.
   * @example 2
   */
  line!: number;

  /**
   * `renewed`: it was in the inventory already, without an owner, and has new secrets. Only where that was asked for.
   * @example created
   */
  status!: 'created' | 'renewed' | 'refused';

  /**
   * As it is kept; null where the row has none that can be.
   * @example "AA:BB:CC:00:11:22"
   */
  hardwareId!: string | null;

  /**
   * The id that the device has once it is claimed, and its MQTT username; null where the row was refused.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  deviceId!: string | null;

  /**
   * What a person claims it with. Shown once: null for a repeat, where it was mailed, and where the device is claimed.
   * @example 7K2M-9QXT-0B4H-VWEN-3J8D
   */
  claimCode!: string | null;

  /**
   * Its MQTT password, valid from the claim on. Shown once: null for a repeat.
   * @example q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA
   */
  deviceToken!: string | null;

  /** It belongs to the account with the address of the row. */
  claimed!: boolean;

  /** The code was mailed to that address. */
  mailed!: boolean;

  /** Why it was refused: `invalid_row`, `duplicate_row` or `hardware_id_taken`; null where it was created. */
  @ApiProperty({ example: null })
  code!: string | null;

  /**
   * What is wrong with its members; empty where it was created.
   * @example []
   */
  errors!: FieldErrorDto[];
}

/** What became of each row, in their order. */
export class ProvisionedRowsDto {
  /** @example 1 */
  created!: number;

  /** @example 0 */
  renewed!: number;

  /** @example 0 */
  refused!: number;

  /**
   * Names in the list that are known and not kept, such as the status and the token that a device had in an older backend.
   * @example ["_id", "deviceToken", "status"]
   */
  leftOut!: string[];

  results!: ProvisionedRowDto[];
}

export class ProvisionQueryDto {
  /**
   * For an answer that was lost: a row whose hardware id is in my inventory already, without an owner, is loaded again. It keeps
   * its id; its former token and code end, and the answer has new ones.
   */
  @IfGiven()
  @Transform(({ value }: { value: unknown }) => ({ true: true, false: false })[String(value)] ?? value)
  @IsBoolean()
  @OftenCalled('replace', 'update', 'overwrite', 'upsert', 'force')
  renew?: boolean;
}

export function toProvisionedRowsDto(
  results: readonly ProvisionResult[],
  leftOut: readonly string[],
): Readonly<ProvisionedRowsDto> {
  const rows = results.map(({ errors, renewed, ...result }) => ({
    ...result,
    status: result.code === null ? (renewed ? ('renewed' as const) : ('created' as const)) : ('refused' as const),
    errors: errors.map(({ detail, pointer }) => ({ detail, pointer })),
  }));
  const count = (status: ProvisionedRowDto['status']): number => rows.filter((row) => row.status === status).length;
  return {
    created: count('created'),
    renewed: count('renewed'),
    refused: count('refused'),
    leftOut: [...leftOut],
    results: rows,
  };
}

import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, Max, Min } from 'class-validator';
import { DEVICE_STATUSES, type DeviceStatus, type DeviceType } from '../../../contracts/devices.js';
import { IsId } from '../../../platform/http/members/id.decorator.js';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { IsNameList, namesIn } from '../../../platform/http/members/name-list.decorator.js';
import { IsTimestamp } from '../../../platform/http/members/timestamp.validator.js';
import { PageQueryDto } from '../../../platform/http/page-query.dto.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { IsVisibleText } from '../../../platform/http/visible-text.js';
import { IsDeviceType } from '../device-type.decorator.js';
import { DEVICE_FIELDS, type DeviceField } from '../facts/device-fields.js';
import { DeviceDto } from '../facts/device.dto.js';
import {
  DEVICE_SORT_COLUMNS,
  type DeviceListPage,
  type DeviceQuery,
  type DeviceSortColumn,
  type DeviceStats,
  MAX_SORT_COLUMNS,
} from './device-list.types.js';

export class ListDevicesQueryDto extends PageQueryDto {
  /**
   * One to three of the columns, each ascending, or descending with a leading minus. Devices that have no value come last; the
   * id breaks ties.
   * @example -createdAt,name
   */
  @IfGiven()
  @IsNameList(DEVICE_SORT_COLUMNS, { max: MAX_SORT_COLUMNS, signed: true })
  @OftenCalled('order', 'orderBy', 'sortBy')
  sort = '-createdAt';

  /**
   * Only these members of each device.
   * @example id,name,lockState
   */
  @IfGiven()
  @IsNameList(DEVICE_FIELDS, { max: DEVICE_FIELDS.length })
  @OftenCalled('select', 'include', 'members')
  fields?: string;

  @IfGiven()
  @IsDeviceType()
  type?: DeviceType;

  @IfGiven()
  @IsIn(DEVICE_STATUSES)
  status?: DeviceStatus;

  /**
   * Only those whose room is this text, from its first letter to its last, in the same case. `q` finds words in it.
   * @example Hall
   */
  @IfGiven()
  @IsVisibleText()
  @OftenCalled('zone')
  room?: string;

  /**
   * Only those whose location is this text, from its first letter to its last, in the same case. `q` finds words in it.
   * @example Berlin, Hauptstr. 1
   */
  @IfGiven()
  @IsVisibleText({ max: 200 })
  @OftenCalled('address', 'place', 'site')
  location?: string;

  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c66 */
  @IfGiven()
  @IsId()
  @OftenCalled('organization', 'orgId')
  organizationId?: string;

  /** Only those that I own, or only those of others. */
  @IfGiven()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  @OftenCalled('mine', 'own')
  owned?: boolean;

  /**
   * Only those that last reported less, in percent.
   * @example 20
   */
  @IfGiven()
  @Transform(({ value }: { value: unknown }) => (/^\d{1,3}$/.test(String(value)) ? Number(value) : value))
  @IsInt()
  @Min(1)
  @Max(100)
  @OftenCalled('battery', 'lowBattery', 'maxBattery')
  batteryBelow?: number;

  /**
   * Only those heard of then or later (RFC 3339).
   * @example 2026-11-20T00:00:00Z
   */
  @IfGiven()
  @IsTimestamp()
  @OftenCalled('lastSeenAt', 'since', 'seenAfter', 'activeSince')
  seenSince?: string;

  /**
   * Words, each of which its name, room or location contains, whatever the accents and case; or, from three characters on, its
   * hardware id, whatever is put between its parts.
   * @example front door
   */
  @IfGiven()
  @IsVisibleText()
  @OftenCalled('search', 'query', 'filter', 'term')
  q?: string;
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

const COUNTS = { type: 'object', additionalProperties: { type: 'integer', minimum: 0 } } as const;

/** How many devices have one version of their firmware. */
export class FirmwareCountDto {
  /** @example 1.4.2 */
  version!: string;
  /** @example 8 */
  count!: number;
}

/** The devices that I see, counted. */
export class DeviceStatsDto {
  /** @example 12 */
  total!: number;

  /**
   * Those that I own.
   * @example 10
   */
  owned!: number;

  /** By their status; one that none has is left out. */
  @ApiProperty({ ...COUNTS, example: { online: 9, offline: 3 } })
  byStatus!: Readonly<Record<string, number>>;

  /** By their type, likewise. */
  @ApiProperty({ ...COUNTS, example: { door_lock: 11, camera: 1 } })
  byType!: Readonly<Record<string, number>>;

  /** By what I may do with them, likewise. */
  @ApiProperty({ ...COUNTS, example: { admin: 10, view: 2 } })
  byPermission!: Readonly<Record<string, number>>;

  /**
   * Rooms that have a device.
   * @example 5
   */
  rooms!: number;

  /**
   * Those whose battery was below 20 percent at its last report.
   * @example 1
   */
  lowBattery!: number;

  /**
   * Part of them whose status is `online`, from 0 to 1; null without a device.
   * @example 0.75
   */
  onlineShare!: number | null;

  /** The 20 most frequent versions of firmware. */
  firmware!: FirmwareCountDto[];
}

export function toDeviceQuery({ sort, fields, ...query }: ListDevicesQueryDto): DeviceQuery {
  return {
    ...query,
    ...(fields === undefined ? {} : { fields: namesIn(fields) as DeviceField[] }),
    sort: namesIn(sort).map((name) => ({
      column: name.replace(/^-/, '') as DeviceSortColumn,
      isDescending: name.startsWith('-'),
    })),
  };
}

export function toDeviceStatsDto({ online, ...stats }: DeviceStats): Readonly<DeviceStatsDto> {
  return {
    ...stats,
    firmware: [...stats.firmware],
    onlineShare: stats.total === 0 ? null : Math.round((online / stats.total) * 10_000) / 10_000,
  };
}

/** The items are JSON already: PostgreSQL wrote them, by the columns in device-list-sql.ts. */
export function toDevicePageJson(page: DeviceListPage): string {
  return `{"items":[${page.items.join(',')}],"nextCursor":${JSON.stringify(page.nextCursor)}}`;
}

import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsObject, Max, Min } from 'class-validator';
import { CAPTURE_MODES, type CaptureMode, type DeviceSettings } from '../../contracts/device-settings.js';
import { IfGiven } from '../../platform/http/members/if-given.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';
import type { SettingsRecord } from './device-settings.types.js';
import { deltaOf, type SettingValues } from './domain/settings.js';

/** What a device can be set to: each setting is of some types of devices only. */
export class DeviceSettingsDto implements DeviceSettings {
  /** Of a `door_lock`: milliseconds from an unlock without a duration until it locks by itself. Left out, it does not. */
  @ApiProperty({
    type: 'integer',
    minimum: 1_000,
    maximum: 3_600_000,
    required: false,
    nullable: true,
    example: 30_000,
  })
  autoLockTimeoutMs?: number;

  /** Of a `camera` or `motion_sensor`: from 0, which sees nothing, to 100. */
  @ApiProperty({ type: 'integer', minimum: 0, maximum: 100, required: false, nullable: true, example: 40 })
  motionSensitivity?: number;

  /** Of a `camera`: when it takes pictures. */
  @ApiProperty({ enum: CAPTURE_MODES, required: false, nullable: true })
  captureMode?: CaptureMode;

  /** Of all: whether it reports what is only worth a notification. */
  @ApiProperty({ type: 'boolean', required: false, nullable: true, example: true })
  notificationsEnabled?: boolean;

  /** Of all: what its maker understands. At most 20 members, each text, a number, or true or false. */
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] },
    nullable: true,
  })
  custom?: Record<string, string | number | boolean>;
}

/** A change of settings: a merge patch (RFC 7396). */
export class UpdateSettingsDto {
  /** What is left out stays as it is; null takes a setting away, and a member of `custom`. */
  @Transform(({ obj }: { obj: { settings?: unknown } }) => withoutPrototype(obj.settings))
  @IsObject()
  @ApiProperty({ type: DeviceSettingsDto, example: { autoLockTimeoutMs: 30_000 } })
  @OftenCalled('desired', 'values', 'config', 'state')
  settings!: SettingValues;

  /**
   * The `version` that you read: 409 `settings_changed` when it is another one by now. Left out, the change is merged into
   * whatever is there.
   * @example 3
   */
  @IfGiven()
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  version?: number;
}

/** The settings of a device. */
export class SettingsDto {
  /** What it should be set to. */
  @ApiProperty({ type: DeviceSettingsDto, example: { autoLockTimeoutMs: 30_000 } })
  desired!: SettingValues;

  /**
   * Of `desired`: grows with every change, 0 before the first; also the `ETag`.
   * @example 4
   */
  version!: number;

  /** What it last said it is set to; null before it said anything. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { autoLockTimeoutMs: 5_000 } })
  reported!: SettingValues | null;

  /**
   * The version that it said it has.
   * @example 3
   */
  reportedVersion!: number | null;

  /**
   * RFC 3339. When it said so.
   * @example 2026-11-20T18:00:00.000Z
   */
  reportedAt!: string | null;

  /** What of `desired` it has not said to have. */
  @ApiProperty({ type: DeviceSettingsDto, example: { autoLockTimeoutMs: 30_000 } })
  delta!: SettingValues;

  /**
   * Whether it said to have all of the present version. Nothing that is desired of a device that said nothing is in sync, too.
   * @example false
   */
  inSync!: boolean;

  /**
   * RFC 3339. When `desired` was last changed; null before the first change.
   * @example 2026-11-20T18:00:00.000Z
   */
  updatedAt!: string | null;
}

/** Names that objects inherit are refused in an object without a prototype, and dropped in others: also in `custom`. */
function withoutPrototype(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value;
  }
  const members = Object.entries(value).map(([name, member]) => [name, withoutPrototype(member)] as const);
  return Object.assign(Object.create(null) as object, Object.fromEntries(members));
}

function isEmpty(values: SettingValues): boolean {
  return Object.keys(values).length === 0;
}

export function toSettingsDto(record: SettingsRecord): Readonly<SettingsDto> {
  const { desired, version, reported, reportedVersion, reportedAt, updatedAt } = record;
  const delta = deltaOf(desired, reported);
  return {
    desired,
    version,
    reported,
    reportedVersion,
    reportedAt: reportedAt?.toISOString() ?? null,
    delta,
    inSync: Object.keys(delta).length === 0 && (reportedVersion === version || (reported === null && isEmpty(desired))),
    updatedAt: version === 0 ? null : (updatedAt?.toISOString() ?? null),
  };
}

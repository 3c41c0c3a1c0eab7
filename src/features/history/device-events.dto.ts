import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { DEVICE_EVENT_TYPES, type DeviceEventType, type EventPayloads } from '../../contracts/events.js';
import { type DeviceEventMessage, MAX_EVENTS_PER_MESSAGE } from '../../contracts/mqtt.js';
import { IfGiven } from '../../platform/http/if-given.js';
import { IsTimestamp } from '../../platform/http/timestamp.validator.js';

/** One fact reported by a device. */
export class DeviceEventDto implements DeviceEventMessage {
  /** Starts at 1 with every boot, and has no gaps. */
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  seq!: number;

  /** Random, made by the device at every start. */
  @Matches(/^[\w-]{8,64}$/, { message: 'boot takes 8 to 64 letters, digits, _ and -' })
  boot!: string;

  /** What happened. */
  @IsIn(DEVICE_EVENT_TYPES)
  type!: DeviceEventType;

  /** RFC 3339, if the device has a clock. */
  @IfGiven()
  @IsTimestamp()
  occurredAt?: string;

  /** Uptime at which it happened, for devices without a clock. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  uptimeMs?: number;

  /** The members depend on the type. */
  @IsObject()
  data!: EventPayloads[DeviceEventType];
}

/** A message on the `events` channel, which carries one event or many. */
export class DeviceEventsDto {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_EVENTS_PER_MESSAGE)
  // Nested lists would be validated member by member, and an empty one would pass.
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => DeviceEventDto)
  events!: DeviceEventDto[];
}

import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, IsObject, Max, Min, ValidateNested } from 'class-validator';
import { DEVICE_EVENT_TYPES, type DeviceEventType, type EventPayloads } from '../../contracts/events.js';
import { type DeviceEventMessage, MAX_EVENTS_PER_MESSAGE } from '../../contracts/mqtt.js';
import { IsTimestamp } from '../../platform/http/timestamp.validator.js';
import { Reading } from '../../platform/uplinks/reading.decorator.js';
import { IsBoot, IsCount } from '../../platform/uplinks/uplink-fields.decorator.js';

/** One fact reported by a device. */
export class DeviceEventDto implements DeviceEventMessage {
  /** Starts at 1 with every boot, and has no gaps. */
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  seq!: number;

  /** Random, made by the device at every start. */
  @IsBoot()
  boot!: string;

  /** What happened. */
  @IsIn(DEVICE_EVENT_TYPES)
  type!: DeviceEventType;

  /** RFC 3339, if the device has a clock. */
  @Reading()
  @IsTimestamp()
  occurredAt?: string;

  /** Uptime at which it happened: it decides where both are given. */
  @Reading()
  @IsCount()
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

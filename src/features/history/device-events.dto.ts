import { ApiPropertyOptional } from '@nestjs/swagger';
import { Allow, ArrayMaxSize, ArrayMinSize, IsArray, IsInt, IsObject, Max, Min } from 'class-validator';
import { MAX_EVENTS_PER_MESSAGE } from '../../contracts/mqtt.js';
import { IsTimestamp } from '../../platform/http/members/timestamp.validator.js';
import { Parts } from '../../platform/uplinks/parts.decorator.js';
import { Reading } from '../../platform/uplinks/reading.decorator.js';
import { IsBoot, Uptime } from '../../platform/uplinks/uplink-fields.decorator.js';
import type { ReceivedEvent } from './history.types.js';

/** One fact reported by a device. `readData` looks at its type and its data. */
export class DeviceEventDto implements ReceivedEvent {
  /**
   * Starts at 1 with every boot, and has no gaps.
   * @example 17
   */
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  seq!: number;

  /**
   * Random, made by the device at every start.
   * @example Zb3xQ7kT0pVw9sLr2NcYhA
   */
  @IsBoot()
  boot!: string;

  /**
   * The lowest `seq` of this boot that no receipt covered when the device sent it.
   * @example 17
   */
  @Reading()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  oldest?: number;

  /** What happened. */
  @Allow()
  @ApiPropertyOptional({ type: String, example: 'door_status_changed' })
  type?: unknown;

  /**
   * RFC 3339, if the device has a clock.
   * @example 2026-11-20T18:00:00.000Z
   */
  @Reading()
  @IsTimestamp()
  occurredAt?: string;

  /**
   * Uptime at which it happened: it decides where both are given.
   * @example 93215
   */
  @Uptime()
  uptimeMs?: number;

  /**
   * The members depend on the type.
   * @example { "lockState": "locked" }
   */
  @Allow()
  data?: unknown;
}

/** A message on the `events` channel, which carries one event or many. */
export class DeviceEventsDto {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_EVENTS_PER_MESSAGE)
  // Nested lists would be validated member by member, and an empty one would pass.
  @IsObject({ each: true })
  @Parts(() => DeviceEventDto)
  events!: DeviceEventDto[];
}

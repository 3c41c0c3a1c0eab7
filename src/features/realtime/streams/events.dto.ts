import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsString, IsUUID, MaxLength } from 'class-validator';
import { EVENT_TYPES, type EventType, type StoredEvent } from '../../../contracts/events.js';
import type { FeedPage } from '../../../platform/events/event-log.js';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { PageSize } from '../../../platform/http/page-size.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { canonicalId } from '../../../shared/ids.js';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../../../shared/paging.js';
import { EventDto, toEventDto } from '../../history/history.dto.js';

/** As many as fit into an address. */
const MAX_DEVICES = 100;
const MAX_CURSOR = 512;

/** A parameter that may be repeated. */
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : [value]);

function IsCursor(): PropertyDecorator {
  return applyDecorators(IfGiven(), IsString(), MaxLength(MAX_CURSOR));
}

function AreDeviceIds(): PropertyDecorator {
  return applyDecorators(
    IfGiven(),
    Transform(({ value }: { value: unknown }) =>
      asList(value).map((id) => (typeof id === 'string' ? canonicalId(id) : id)),
    ),
    IsArray(),
    ArrayMaxSize(MAX_DEVICES),
    IsUUID('all', { each: true }),
    ApiProperty({ type: [String], format: 'uuid', maxItems: MAX_DEVICES, required: false }),
  );
}

export class EventStreamQueryDto {
  /**
   * The cursor from which to go on, of any channel: the events after it are sent first. Left out or empty: from now on. A
   * client that comes back sends it as the header `Last-Event-ID`, which counts in place of this.
   * @example MS4xMjM0NS42Nzg5
   */
  @IsCursor()
  @OftenCalled('cursor', 'since', 'from')
  after?: string;

  /**
   * The same, by the name that clients without headers use. It counts in place of `after`.
   * @example MS4xMjM0NS42Nzg5
   */
  @IsCursor()
  lastEventId?: string;

  /** Devices that are shared with me, besides mine and those of my organizations; repeat the parameter for several. */
  @AreDeviceIds()
  @OftenCalled('device', 'devices', 'deviceIds')
  deviceId?: string[];

  /**
   * In place of an access token, which pages cannot send here: `POST /events/tickets`.
   * @example nS0Qd4ZcX2m9sJqf3bY1wRk7uTLh8VvEoPaKz5GiM6c.q1XvZ0pYk3sWb8nRt2uLdA
   */
  @IfGiven()
  @IsString()
  @MaxLength(200)
  ticket?: string;
}

export class PollEventsQueryDto {
  /**
   * The cursor after which to read, of any channel. Left out or empty: no events, and the cursor of now.
   * @example MS4xMjM0NS42Nzg5
   */
  @IsCursor()
  @OftenCalled('cursor', 'since', 'from', 'lastEventId')
  after?: string;

  /** Most events in the answer. */
  @PageSize(MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE)
  @OftenCalled('pageSize', 'perPage', 'size', 'count', 'take')
  limit: number = DEFAULT_PAGE_SIZE;

  /** Only these types; repeat the parameter for several. */
  @IfGiven()
  @Transform(({ value }: { value: unknown }) => asList(value))
  @IsArray()
  @ArrayMaxSize(EVENT_TYPES.length)
  @IsIn(EVENT_TYPES, { each: true })
  @OftenCalled('types', 'event', 'eventType')
  type?: EventType[];

  /** Devices that are shared with me, besides mine and those of my organizations; repeat the parameter for several. */
  @AreDeviceIds()
  @OftenCalled('device', 'devices', 'deviceIds')
  deviceId?: string[];
}

/** What followed a cursor. */
export class PolledEventsDto {
  /** Oldest first. */
  items!: EventDto[];

  /**
   * Pass it as `after` next time, here or in any other channel.
   * @example MS4xMjM0NS42Nzg5
   */
  cursor!: string;

  /** There may be more already: ask again at once. A page may have no events and more behind it. */
  more!: boolean;
}

/** A ticket, which opens one event stream. */
export class TicketDto {
  /**
   * Pass it as `ticket` to `GET /events/stream`.
   * @example nS0Qd4ZcX2m9sJqf3bY1wRk7uTLh8VvEoPaKz5GiM6c.q1XvZ0pYk3sWb8nRt2uLdA
   */
  ticket!: string;

  /**
   * Seconds in which it must be used.
   * @example 30
   */
  expiresIn!: number;
}

export function toPolledEventsDto({ items, cursor, more }: FeedPage): Readonly<PolledEventsDto> {
  return { items: items.map((event: StoredEvent) => toEventDto(event)), cursor, more };
}

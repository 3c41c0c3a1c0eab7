import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn } from 'class-validator';
import { EVENT_TYPES, type EventSource, type EventType, type StoredEvent } from '../../contracts/events.js';
import { IfGiven } from '../../platform/http/members/if-given.js';
import { PageQueryDto } from '../../platform/http/page-query.dto.js';
import type { Page } from '../../shared/paging.js';
import type { HistoryQuery } from './history.types.js';
import { IsTimestamp } from '../../platform/http/members/timestamp.validator.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';

const HISTORY_ORDERS = ['asc', 'desc'] as const;
type HistoryOrder = (typeof HISTORY_ORDERS)[number];

export class ListEventsQueryDto extends PageQueryDto {
  /** Only these types; repeat the parameter for several. */
  @IfGiven()
  @Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? (value as unknown[]) : [value]))
  @IsArray()
  @ArrayMaxSize(EVENT_TYPES.length)
  @IsIn(EVENT_TYPES, { each: true })
  @OftenCalled('types', 'event', 'eventType')
  type?: EventType[];

  /**
   * Committed then or later (RFC 3339).
   * @example 2026-11-20T00:00:00Z
   */
  @IfGiven()
  @IsTimestamp()
  @OftenCalled('since', 'start', 'startDate', 'after')
  from?: string;

  /**
   * Committed earlier (RFC 3339).
   * @example 2026-11-21T00:00:00Z
   */
  @IfGiven()
  @IsTimestamp()
  @OftenCalled('until', 'end', 'endDate', 'before')
  to?: string;

  /** `desc`: newest first. */
  @IfGiven()
  @IsIn(HISTORY_ORDERS)
  @OftenCalled('sort', 'direction', 'orderBy')
  order: HistoryOrder = 'desc';
}

/** Something that happened. An event never changes. */
export class EventDto {
  /**
   * Position in the log: the same in REST and on sockets.
   * @example MS4xMjM0NS42Nzg5
   */
  cursor!: string;

  /** @example 4711 */
  id!: string;

  /** @example door_status_changed */
  type!: EventType;

  /**
   * The members depend on the type.
   * @example { "lockState": "locked" }
   */
  payload!: Record<string, unknown>;

  /** @example mqtt */
  source!: EventSource;

  /**
   * Who caused it: `user:<id>`, `device:<id>`, or `system`.
   * @example device:019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  actor!: string;

  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  deviceId!: string | null;

  /** The command it belongs to; null where it is none's. */
  @ApiProperty({ example: null })
  commandId!: string | null;

  /** The request that caused it: its `X-Request-Id`; null where it was none. */
  @ApiProperty({ example: null })
  correlationId!: string | null;

  /**
   * RFC 3339. When it happened: by the uptime of the device, else by its wall clock where that is plausible. Equal to
   * `receivedAt` where neither is known, and for what the device did not report. Pages follow the log, not this time.
   * @example 2026-11-20T18:00:00.000Z
   */
  occurredAt!: string;

  /**
   * RFC 3339, when it was committed.
   * @example 2026-11-20T18:00:00.120Z
   */
  receivedAt!: string;

  /**
   * Version of the command or device that it is about.
   * @example 3
   */
  version!: number;
}

/** One page of history. */
export class EventPageDto {
  items!: EventDto[];

  /**
   * Pass it as `cursor` for the next page; null on the last page.
   * @example MS4xMjM0NS42Nzg5
   */
  nextCursor!: string | null;
}

export function toHistoryQuery({ limit, cursor, type, from, to, order }: ListEventsQueryDto): HistoryQuery {
  return {
    limit,
    order,
    ...(cursor === undefined ? {} : { cursor }),
    ...(type === undefined ? {} : { types: type }),
    ...(from === undefined ? {} : { from: new Date(from) }),
    ...(to === undefined ? {} : { to: new Date(to) }),
  };
}

export function toEventPageDto({ items, nextCursor }: Page<StoredEvent>): Readonly<EventPageDto> {
  return { items: items.map(toEventDto), nextCursor };
}

export function toEventDto(event: StoredEvent): Readonly<EventDto> {
  const {
    cursor,
    id,
    type,
    payload,
    source,
    actor,
    deviceId,
    commandId,
    correlationId,
    occurredAt,
    receivedAt,
    version,
  } = event;
  return {
    cursor,
    id,
    type,
    payload: payload as Record<string, unknown>,
    source,
    actor,
    deviceId,
    commandId,
    correlationId,
    occurredAt,
    receivedAt,
    version,
  };
}

/** How far the events of a boot are stored. */
export class EventReceiptDto {
  /**
   * A boot of which the request had events.
   * @example Zb3xQ7kT0pVw9sLr2NcYhA
   */
  boot!: string;

  /**
   * Every event of it up to this one is stored; 0 when none is.
   * @example 17
   */
  seq!: number;
}

/** What a request with events is answered, once they are committed. */
export class EventReceiptsDto {
  /** One for each boot of which the request had events. */
  receipts!: EventReceiptDto[];
}

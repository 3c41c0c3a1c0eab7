import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsString, IsUUID, Matches, MaxLength } from 'class-validator';
import {
  EVENT_SOURCES,
  EVENT_TYPES,
  type EventSource,
  type EventType,
  type StoredEvent,
} from '../../../contracts/events.js';
import { IsId } from '../../../platform/http/members/id.decorator.js';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { IsNameList, namesIn } from '../../../platform/http/members/name-list.decorator.js';
import { IsTimestamp } from '../../../platform/http/members/timestamp.validator.js';
import { PageQueryDto } from '../../../platform/http/page-query.dto.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { IsVisibleText } from '../../../platform/http/visible-text.js';
import { canonicalId } from '../../../shared/ids.js';
import type { TwoWayPage } from '../../../shared/paging.js';
import { EventDto, toEventDto } from '../history.dto.js';
import type { HistoryQuery } from '../history.types.js';

/** As many as fit into an address. */
const MAX_DEVICES = 100;
const ORDERS = ['asc', 'desc'] as const;
type Order = (typeof ORDERS)[number];
const ID = '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const ACTOR = `^(user:${ID}|device:${ID}|system|anonymous)$`;

/** The members of an event: `?fields=` chooses among them. */
export const EVENT_FIELDS = [
  'cursor',
  'id',
  'type',
  'payload',
  'source',
  'actor',
  'deviceId',
  'commandId',
  'correlationId',
  'occurredAt',
  'receivedAt',
  'version',
] as const satisfies readonly (keyof EventDto)[];

/** A parameter that may be repeated. */
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : [value]);

export function AreDeviceIds(): PropertyDecorator {
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

export function IsOrder(): PropertyDecorator {
  return applyDecorators(IfGiven(), IsIn(ORDERS), OftenCalled('sort', 'direction', 'orderBy'));
}

/** What chooses among events. */
export class EventFilterDto extends PageQueryDto {
  /** Only these types; repeat the parameter for several. */
  @IfGiven()
  @Transform(({ value }: { value: unknown }) => asList(value))
  @IsArray()
  @ArrayMaxSize(EVENT_TYPES.length)
  @IsIn(EVENT_TYPES, { each: true })
  @OftenCalled('types', 'event', 'eventType')
  type?: EventType[];

  /**
   * Only what this one caused: `user:<id>`, `device:<id>`, or `system`.
   * @example user:019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c77
   */
  @IfGiven()
  @IsString()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? spelled(value) : value))
  @Matches(ACTOR, undefined, { message: 'must be `user:<id>`, `device:<id>` or `system`' })
  @OftenCalled('userId', 'by', 'causedBy')
  actor?: string;

  /** Only what came this way. */
  @IfGiven()
  @IsIn(EVENT_SOURCES)
  @OftenCalled('channel', 'via', 'origin')
  source?: EventSource;

  /**
   * Only what belongs to this command.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c99
   */
  @IfGiven()
  @IsId()
  @OftenCalled('command', 'order')
  commandId?: string;

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

  /**
   * Words that the text of an event has, all of them: what a device says of a fault, the zone of a motion, texts in `custom`, the name
   * of a device that was registered or handed on. `"in a row"`, `this or that`, `-without`. Case does not count.
   * @example motor -stalled
   */
  @IfGiven()
  @IsVisibleText({ max: 200 })
  @OftenCalled('search', 'query', 'text', 'term')
  q?: string;

  /**
   * Only these members of each event.
   * @example type,deviceId,occurredAt
   */
  @IfGiven()
  @IsNameList(EVENT_FIELDS, { max: EVENT_FIELDS.length })
  @OftenCalled('select', 'include', 'members')
  fields?: string;
}

/** `actor=DEVICE…` is no actor, but ids have more than one spelling. */
function spelled(actor: string): string {
  const colon = actor.indexOf(':');
  return colon < 0 ? actor : `${actor.slice(0, colon)}:${canonicalId(actor.slice(colon + 1))}`;
}

export class ListEventsQueryDto extends EventFilterDto {
  /** `desc`: newest first. */
  @IsOrder()
  order: Order = 'desc';
}

const MAX_CURSOR = 512;

export class EventsQueryDto extends EventFilterDto {
  /**
   * Polls: the cursor after which to read, of any channel. Left out or empty, without what asks for the history: no events, and the
   * cursor of now.
   * @example MS4xMjM0NS42Nzg5
   */
  @IfGiven()
  @IsString()
  @MaxLength(MAX_CURSOR)
  @OftenCalled('lastEventId')
  after?: string;

  /**
   * In the history, only these devices. When polling, devices that are shared with me, besides mine and those of my organizations.
   * Repeat the parameter for several.
   */
  @AreDeviceIds()
  @OftenCalled('device', 'devices', 'deviceIds')
  deviceId?: string[];

  /** Asks for the history; `desc`: newest first, as without it. */
  @IsOrder()
  order?: Order;
}

/** One page of history. It may be empty and have another behind it. */
export class EventPageDto {
  items!: EventDto[];

  /**
   * Pass it as `cursor` for the next page; null on the last page.
   * @example MS4xMjM0NS42Nzg5
   */
  nextCursor!: string | null;

  /**
   * Pass it as `cursor` for the page before, in the same order; null where there is none.
   * @example ~MS4xMjM0NS42Nzg5
   */
  previousCursor!: string | null;
}

export function toHistoryQuery(query: EventFilterDto, order: Order): HistoryQuery {
  const { limit, cursor, type, from, to, q, actor, source, commandId } = query;
  return {
    limit,
    order,
    ...(cursor === undefined ? {} : { cursor }),
    ...(type === undefined ? {} : { types: type }),
    ...(actor === undefined ? {} : { actor }),
    ...(source === undefined ? {} : { source }),
    ...(commandId === undefined ? {} : { commandId }),
    ...(from === undefined ? {} : { from: new Date(from) }),
    ...(to === undefined ? {} : { to: new Date(to) }),
    ...(q === undefined ? {} : { words: q }),
  };
}

/** @param fields the members that were asked for; all without them */
export function toEventPageDto(
  { items, nextCursor, previousCursor }: TwoWayPage<StoredEvent>,
  fields: string | undefined,
): Readonly<EventPageDto> {
  return { items: items.map((event) => chosen(toEventDto(event), fields)), nextCursor, previousCursor };
}

function chosen(event: Readonly<EventDto>, fields: string | undefined): Readonly<EventDto> {
  if (fields === undefined) {
    return event;
  }
  const names = new Set(namesIn(fields));
  return Object.fromEntries(Object.entries(event).filter(([name]) => names.has(name))) as unknown as EventDto;
}

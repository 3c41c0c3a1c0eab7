import { Injectable } from '@nestjs/common';
import type { EventScope, NewEvent, StoredEvent } from '../../contracts/events.js';
import { requestContext } from '../context/request-context.js';
import { Transactions } from '../prisma/transactions.js';
import { SignalBus } from '../redis/signal-bus.js';
import { CursorExpiredError } from './event-log.errors.js';
import { EventScopeStore } from './pages/event-scope-store.js';
import type { EventFilter } from './pages/event-conditions.js';
import { EventPageStore } from './pages/event-page-store.js';
import { EventStore } from './event-store.js';
import { toRecord } from './event-rows.js';
import {
  decodeLogCursor,
  encodeLogCursor,
  invalidAfter,
  isAfter,
  LOG_START,
  type LogPosition,
} from './log-position.js';
import { type EventPage, placeOf, toEventPage } from './pages/event-page.js';

const OPPOSITE = { asc: 'desc', desc: 'asc' } as const;

/** At most one hint in this time: under load the relay is busy anyway. */
const HINT_INTERVAL_MS = 5;

/** Which part of the log to read, and from where. Cursors exclude the event they stand for. */
export interface EventQuery extends EventFilter {
  readonly after?: string;
  readonly before?: string;
  /** A `nextCursor` or `previousCursor` of the same list, in place of the two. */
  readonly cursor?: string;
  /** `asc`: oldest first, and complete up to its end. `desc`: newest first. */
  readonly order: 'asc' | 'desc';
  readonly limit: number;
}

/** Which events to read on from `after`; without it, none, and the cursor is where the log stands now. */
export interface FeedQuery {
  readonly scope: EventScope;
  readonly after?: string;
  readonly limit: number;
}

/** The events that follow a cursor, oldest first, and the cursor to go on from: there is always one. */
export interface FeedPage {
  readonly items: StoredEvent[];
  readonly cursor: string;
  /** The log goes on behind the cursor: ask again at once. */
  readonly more: boolean;
  /** When it was read, by the clock that says when events were received; only where it was read on from a cursor. */
  readonly readAt?: Date;
}

/**
 * The record of everything that happened, and the only way news leaves a transaction: what is appended exists exactly
 * when the change that it describes does, and reaches every durable reader and the live feed.
 */
@Injectable()
export class EventLog {
  #resting: NodeJS.Timeout | undefined;
  #hintOwed = false;

  constructor(
    private readonly store: EventStore,
    private readonly scopes: EventScopeStore,
    private readonly pages: EventPageStore,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {}

  /**
   * Records one or many facts, in their order, as part of the surrounding transaction. They are written when its work is
   * done, so that they stand behind all that it has seen: no effect stands before its cause.
   */
  async append(events: NewEvent | readonly NewEvent[]): Promise<void> {
    const batch: readonly NewEvent[] = 'type' in events ? [events] : events;
    if (batch.length === 0) {
      return;
    }
    const correlationId = requestContext()?.requestId;
    const records = batch.map((event) => toRecord(event, correlationId));
    await this.store.insert(records);
    this.transactions.afterCommit(() => {
      this.hint();
    });
  }

  /**
   * A page may be empty and have more behind it: it looks at a stretch of the log.
   * @throws InvalidCursorError for what is no cursor
   * @throws CursorExpiredError for a cursor of a log that a restore has replaced, or set back, and for one that the retention
   *   has left behind: something that followed it is not kept any more
   */
  async page(query: EventQuery): Promise<EventPage> {
    const { order, limit } = query;
    const generation = await this.store.generation();
    const { start, isBack } = placeOf(generation, query);
    const direction = isBack ? OPPOSITE[order] : order;
    const found = await this.pages.list(query, {
      ...(start && (direction === 'asc' ? { after: start } : { before: start })),
      order: direction,
      isComplete: order === 'asc',
      limit,
    });
    if (start && order === 'asc' && !isBack) {
      await this.assertWhole(start, await this.store.findDropped(), found.entries.length === 0);
    }
    const end = start ?? (found.entries.length === 0 ? await this.scopes.findLast() : LOG_START);
    return toEventPage(generation, found, { order, start, isBack, end });
  }

  /**
   * What followed a cursor and concerns a person: every event once, in the order of the log. A page may be empty and have more
   * behind it, because it looks through a stretch of the log.
   * @throws InvalidCursorError, CursorExpiredError as {@link page}
   */
  async feedPage({ scope, after, limit }: FeedQuery): Promise<FeedPage> {
    const generation = await this.store.generation();
    if (after === undefined) {
      return { items: [], cursor: encodeLogCursor(generation, await this.scopes.findLast()), more: false };
    }
    const start = decodeLogCursor(generation, after, invalidAfter);
    const { entries, end, more, dropped, readAt } = await this.scopes.listPage(scope, start, limit);
    await this.assertWhole(start, dropped, end === null);
    const cursor = encodeLogCursor(generation, end ?? start);
    return { items: entries.map(({ event }) => event), cursor, more, readAt };
  }

  /**
   * What follows a position beyond the end would be an empty page until the log gets there, and then a gap; and what follows one
   * of before the last that was dropped has a gap already.
   * @throws CursorExpiredError
   */
  private async assertWhole(start: LogPosition, dropped: LogPosition, isEmpty: boolean): Promise<void> {
    if (isAfter(dropped, start) || (isEmpty && !(await this.store.hasReached(start)))) {
      throw new CursorExpiredError();
    }
  }

  private hint(): void {
    if (this.#resting) {
      this.#hintOwed = true;
      return;
    }
    this.signals.publish('events_appended', {});
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      if (this.#hintOwed) {
        this.#hintOwed = false;
        this.hint();
      }
    }, HINT_INTERVAL_MS).unref();
  }
}

import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { EventScope, RoutedEvent } from '../../../contracts/events.js';
import type { FeedRoom } from '../../../contracts/realtime.js';
import { LiveFeed } from '../../../platform/events/live-feed.js';
import { isCursorAfter } from '../../../platform/events/log-position.js';
import { LimitedLogger } from '../../../platform/logging/limited-logger.js';
import { type Counter, Metrics } from '../../../platform/metrics/metrics.js';
import { inBackground } from '../../../platform/process/faults.js';
import { socketEventOf } from '../domain/feed-message.js';
import { roomsOfEvent, roomsOfScope } from '../../history/feed/feed-scope.types.js';
import { FeedAccessService } from '../../history/feed/feed-access.service.js';
import type { Verdict, Verdicts } from '../../history/feed/verdict.types.js';
import type { FeedChannel, FeedSubscriber } from './feed-channel.types.js';

const MAX_BACKLOG = 10_000;
/** Of what one person misses while they catch up. */
const MAX_MISSED = 500;
/** Events whose viewers are judged by one question, and pairs of a device and a viewer in it: an event alone may have more. */
const MAX_TOGETHER = { events: 100, pairs: 5_000 };
const RETRY_MS = 500;
/** While PostgreSQL cannot say who may see an event, nothing is sent; later, all are told to read the state again. */
const MAX_TRIES = 20;

/** Someone who catches up with the log, and what was published for them meanwhile. */
export interface Absence {
  readonly rooms: ReadonlySet<FeedRoom>;
  /** In the order of the log. */
  missed: RoutedEvent[];
  /** It was too much to be kept, and is read from the log. */
  isOverfull: boolean;
}

/** An event with the rooms in which those are whom it concerns, and the people who listen there. */
interface Routed {
  readonly event: RoutedEvent;
  readonly rooms: readonly FeedRoom[];
  readonly listeners: ReadonlySet<string>;
}

/**
 * Publishes the event log to all who listen in this process, in order, over each channel, each event only to people who may
 * see it at that moment. All viewers of all events that wait are judged by one question.
 */
@Injectable()
export class FeedPublisher implements OnModuleDestroy {
  readonly #channels = new Set<FeedChannel>();
  readonly #backlog: RoutedEvent[] = [];
  /** Those who have replayed events which this process has not published yet: they join when it has. */
  readonly #ahead = new Map<FeedSubscriber, string>();
  readonly #absences = new Set<Absence>();
  #delivered: string | undefined;
  /** How often events were dropped: those that were being judged meanwhile are among them. */
  #drops = 0;
  #draining = false;
  #isStopped = false;
  readonly #log: LimitedLogger;
  readonly #deliveries: Counter;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly feed: LiveFeed,
    private readonly authorizer: FeedAccessService,
    logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(FeedPublisher.name);
    this.#log = new LimitedLogger(logger);
    this.#deliveries = metrics.counter(
      'mortise_feed_deliveries_total',
      'Events sent to people, each as often as there are people who heard it',
    );
    metrics.gauge('mortise_feed_backlog', 'Events that wait to be sent to people', [], (gauge) => {
      gauge.set(this.#backlog.length);
    });
  }

  /** Begins to publish over a channel. */
  open(channel: FeedChannel): void {
    this.#channels.add(channel);
    this.#unsubscribe ??= this.feed.subscribe((event) => {
      this.enqueue(event);
    }, FeedPublisher.name);
  }

  onModuleDestroy(): void {
    this.#isStopped = true;
    this.#unsubscribe?.();
  }

  /** The cursor of the last event published here; null: nothing was read yet. */
  get cursor(): string | null {
    return this.#delivered ?? this.feed.cursor;
  }

  /** Events that wait to be sent. */
  get backlog(): number {
    return this.#backlog.length;
  }

  /** Keeps what is published for a scope while someone catches up with it. */
  beginAbsence(scope: EventScope): Absence {
    const absence: Absence = { rooms: new Set(roomsOfScope(scope)), missed: [], isOverfull: false };
    this.#absences.add(absence);
    return absence;
  }

  endAbsence(absence: Absence): void {
    this.#absences.delete(absence);
  }

  /** Lets someone join who has all events up to `cursor`: at once, or when this process has published the log up to there. */
  joinAt(subscriber: FeedSubscriber, cursor: string): void {
    this.#ahead.set(subscriber, cursor);
    this.joinReached();
  }

  private enqueue(event: RoutedEvent): void {
    if (this.#backlog.length >= MAX_BACKLOG) {
      const dropped = this.#backlog.splice(0);
      this.giveUp(dropped.length, dropped.at(-1)?.cursor);
    }
    this.#backlog.push(event);
    if (!this.#draining) {
      inBackground(() => this.drain());
    }
  }

  private async drain(): Promise<void> {
    this.#draining = true;
    while (this.#backlog.length > 0 && !this.#isStopped) {
      await this.publishTogether(this.takeTogether());
    }
    this.#draining = false;
  }

  /** The next events, as many as are judged by one question. */
  private takeTogether(): Routed[] {
    const taken: Routed[] = [];
    const devices = new Set<string>();
    let pairs = 0;
    for (const event of this.#backlog.slice(0, MAX_TOGETHER.events)) {
      const rooms = roomsOfEvent(event);
      const listeners = this.listenersOf(event, rooms);
      // Of further events of a device nothing more is asked.
      if (event.deviceId !== null && !devices.has(event.deviceId)) {
        devices.add(event.deviceId);
        pairs += listeners.size;
      }
      if (taken.length > 0 && pairs > MAX_TOGETHER.pairs) {
        break;
      }
      taken.push({ event, rooms, listeners });
    }
    this.#backlog.splice(0, taken.length);
    return taken;
  }

  private async publishTogether(routed: readonly Routed[]): Promise<void> {
    this.noteMissed(routed);
    const drops = this.#drops;
    let heard = routed;
    for (let tries = 1; !this.#isStopped && drops === this.#drops; tries += 1) {
      try {
        const verdicts = await this.authorizer.verdictsOn(heard);
        if (drops === this.#drops) {
          routed.forEach((each, index) => {
            this.deliver(each, verdicts[index] ?? new Map<string, Verdict>());
          });
        }
        return;
      } catch (error) {
        this.#log.error(
          'not_judged',
          { err: error },
          'The viewers of events cannot be judged; nothing is sent until then',
        );
        if (tries >= MAX_TRIES) {
          this.giveUp(routed.length, routed.at(-1)?.event.cursor);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        heard = routed.map((each) => ({ ...each, listeners: this.listenersOf(each.event, each.rooms) }));
      }
    }
  }

  /** Those who catch up get what was published since they began. */
  private noteMissed(routed: readonly Routed[]): void {
    this.#absences.forEach((absence) => {
      for (const { event, rooms } of routed) {
        if (socketEventOf(event.type) && rooms.some((room) => absence.rooms.has(room))) {
          absence.isOverfull ||= absence.missed.length >= MAX_MISSED;
          if (!absence.isOverfull) {
            absence.missed.push(event);
          }
        }
      }
    });
  }

  /**
   * Whom an event is sent to, if they may see it. Also those who are about to join, which may be between two of the events that are
   * judged together. An event that is not sent has none: it only wakes requests that wait.
   */
  private listenersOf({ type }: RoutedEvent, rooms: readonly FeedRoom[]): ReadonlySet<string> {
    const listeners = new Set<string>();
    if (rooms.length > 0 && socketEventOf(type)) {
      for (const channel of this.#channels) {
        for (const userId of channel.listenersIn(rooms)) {
          listeners.add(userId);
        }
      }
      for (const { scope } of this.#ahead.keys()) {
        if (roomsOfScope(scope).some((room) => rooms.includes(room))) {
          listeners.add(scope.userId);
        }
      }
    }
    return listeners;
  }

  private deliver({ event, rooms }: Routed, verdicts: Verdicts): void {
    // A cursor may stand between two events: who has all before this one gets it.
    this.joinThose((cursor) => isCursorAfter(event.cursor, cursor));
    if (rooms.length > 0) {
      this.#deliveries.inc([...verdicts.values()].filter(({ maySee }) => maySee).length);
      this.#channels.forEach((channel) => {
        try {
          channel.deliver(event, rooms, verdicts);
        } catch (error) {
          this.#log.error('not_delivered', { err: error, type: event.type }, 'An event was not sent over a channel');
        }
      });
    }
    this.#delivered = event.cursor;
    this.joinReached();
  }

  private joinReached(): void {
    this.joinThose((cursor) => this.hasReached(cursor));
  }

  private joinThose(isDue: (cursor: string) => boolean): void {
    for (const [subscriber, cursor] of this.#ahead) {
      if (subscriber.isClosed) {
        this.#ahead.delete(subscriber);
      } else if (isDue(cursor)) {
        this.#ahead.delete(subscriber);
        subscriber.join();
      }
    }
  }

  private hasReached(cursor: string): boolean {
    if (this.#delivered === undefined && this.#draining) {
      return false;
    }
    const reached = this.cursor;
    return reached === null || !isCursorAfter(cursor, reached);
  }

  /**
   * Drops events up to `cursor`. Everyone learns of it: who listens, and who is about to, reads the state again; who catches up
   * reads the log again.
   */
  private giveUp(dropped: number, cursor: string | undefined): void {
    this.#log.warn('too_far_behind', { dropped }, 'Events were not sent; all who listen must read the state again');
    if (cursor === undefined) {
      return;
    }
    this.#drops += 1;
    this.#delivered = cursor;
    this.#absences.forEach((absence) => {
      absence.missed = [];
      absence.isOverfull = true;
    });
    // First, so that they are told with the others, and once.
    this.joinThose(() => true);
    this.#channels.forEach((channel) => {
      channel.resyncAll(cursor);
    });
  }
}

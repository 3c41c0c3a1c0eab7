import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { RoutedEvent, StoredEvent } from '../../contracts/events.js';
import { LimitedLogger } from '../logging/limited-logger.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { SignalBus } from '../redis/signal-bus.js';
import { type BackgroundLoop, type StepOutcome } from '../scheduling/background-loop.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import { EventStore } from './event-store.js';
import { fitOf } from './feed-order.js';
import { type FeedEntry, FeedStream } from './feed-stream.js';
import { encodeLogCursor, isAfter, LOG_START, type LogPosition } from './log-position.js';
import { LIVE_FEED, ReaderCursorsRepository } from './reader-cursors.repository.js';

const PAGE = 500;
/** While Redis is away, PostgreSQL is asked at least this often. */
const IDLE_MS = 1_000;
const RETRY_MS = 1_000;

export type FeedListener = (event: RoutedEvent) => void;

/**
 * Every event, once and in the order of the log, a moment after it was committed. It comes through Redis; what is
 * missing there is read from PostgreSQL, which is also polled while Redis is silent or away.
 */
@Injectable()
export class LiveFeed implements BeforeApplicationShutdown {
  readonly #listeners = new Map<FeedListener, string>();
  readonly #loop: BackgroundLoop;
  readonly #delivered: Counter<'source'>;
  readonly #failures: Counter<'listener'>;
  readonly #log: LimitedLogger;
  #last = LOG_START;
  #cursor: string | null = null;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly cursors: ReaderCursorsRepository,
    private readonly stream: FeedStream,
    private readonly signals: SignalBus,
    loops: LoopRegistry,
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(LiveFeed.name);
    this.#log = new LimitedLogger(logger);
    this.#delivered = metrics.counter('mortise_live_feed_events_total', 'Events delivered, by where they were read.', [
      'source',
    ]);
    this.#failures = metrics.counter('mortise_live_feed_listener_failures_total', 'Errors thrown by listeners.', [
      'listener',
    ]);
    this.#loop = loops.create('live_feed', () => this.step(), {
      idleMs: IDLE_MS,
      retryMs: RETRY_MS,
      onError: (error, failures) => {
        this.logger[failures === 1 ? 'warn' : 'debug']({ err: error }, 'The live feed could not go on; it tries again');
      },
    });
  }

  /**
   * Hears everything from now on. What a listener throws is logged under its name, and the feed goes on.
   * @returns a function that ends the subscription.
   */
  subscribe(listener: FeedListener, name = listener.name): () => void {
    this.#listeners.set(listener, name);
    // A process without listeners does not read at all.
    this.#unsubscribe ??= this.signals.on('events_appended', () => {
      this.#loop.wake();
    });
    this.#loop.start();
    return () => this.#listeners.delete(listener);
  }

  /**
   * The position of the last event delivered here: a client with the present state continues from it. Null until it
   * started.
   */
  get cursor(): string | null {
    return this.#cursor;
  }

  /** Where it stands, as {@link cursor}. */
  get position(): LogPosition | null {
    return this.#cursor === null ? null : this.#last;
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe?.();
    this.stream.endRead();
    await this.#loop.stop();
  }

  private async step(): Promise<StepOutcome> {
    if (this.#cursor === null) {
      await this.begin();
    }
    const entries = await this.readStream();
    if (entries && entries.length > 0) {
      for (const entry of entries) {
        await this.take(entry);
      }
      return 'more';
    }
    // Silent, or away: the log may have moved on without Redis.
    const delivered = await this.catchUp();
    return entries || delivered > 0 ? 'more' : 'idle';
  }

  private async begin(): Promise<void> {
    const generation = await this.store.generation();
    this.#last = await this.cursors.find(LIVE_FEED);
    this.#cursor = encodeLogCursor(generation, this.#last);
  }

  /** Null while Redis is away. */
  private async readStream(): Promise<FeedEntry[] | null> {
    try {
      return await this.stream.read();
    } catch (error) {
      this.logger.debug({ err: error }, 'The live feed reads from PostgreSQL');
      return null;
    }
  }

  private async take(entry: FeedEntry): Promise<void> {
    if (fitOf(entry, this.#last) === 'gap') {
      await this.catchUp(entry.previous);
    }
    if (fitOf(entry, this.#last) !== 'seen') {
      // An entry of an earlier version of the relay names no organization.
      const event = { organizationId: null, ...(JSON.parse(entry.json) as StoredEvent) };
      this.deliver(entry.position, event, 'stream');
    }
  }

  /** Delivers what PostgreSQL has after the last event: up to `until`, or to the end of what is certain. */
  private async catchUp(until?: LogPosition): Promise<number> {
    let delivered = 0;
    let full = true;
    while (full && (!until || isAfter(until, this.#last))) {
      const entries = await this.store.listAfter(this.#last, PAGE);
      entries.forEach(({ position, event }) => {
        // A step that was given up may have been faster after all.
        if (isAfter(position, this.#last)) {
          this.deliver(position, event, 'log');
        }
      });
      delivered += entries.length;
      full = entries.length === PAGE;
    }
    return delivered;
  }

  private deliver(position: LogPosition, event: RoutedEvent, source: 'stream' | 'log'): void {
    this.#last = position;
    this.#cursor = event.cursor;
    this.#listeners.forEach((name, listener) => {
      try {
        listener(event);
      } catch (error) {
        this.#failures.inc({ listener: name });
        this.#log.error(name, { listener: name, eventId: event.id, err: error }, 'A listener of the live feed failed');
      }
    });
    this.#delivered.inc({ source });
  }
}

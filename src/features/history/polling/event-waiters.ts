import { Injectable } from '@nestjs/common';
import type { EventScope, RoutedEvent } from '../../../contracts/events.js';
import type { FeedRoom } from '../../../contracts/realtime.js';
import { LiveFeed } from '../../../platform/events/live-feed.js';
import { OverloadedError } from '../../../platform/http/admission/admission-limiter.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import { liveRefusals } from '../../../platform/realtime/live-refusals.js';
import { roomsOfEvent, roomsOfScope } from '../feed/feed-scope.types.js';
import { TooManyWaitingError } from './polling.errors.js';

/** Requests that wait at once in this process. */
const MAX_WAITING = 2_000;
/** As of streams: more than a person has tabs and programs. */
const MAX_OF_PERSON = 20;

/** A request that waits for news: for those since it was opened, or the last time. */
export interface EventWaiter {
  /** Its client has hung up, or the process stops. */
  readonly isOver: boolean;
  /** Waits until something happened that may concern it, until it is over, or for so many milliseconds. */
  news(limitMs: number): Promise<void>;
  /** Waits whatever happens, but not longer than until it is over. */
  rest(ms: number): Promise<void>;
  close(): void;
}

/** Wakes requests that wait for events. It judges nothing: who is woken reads the log, and is told what they may see. */
@Injectable()
export class EventWaiters {
  readonly #byRoom = new Map<FeedRoom, Set<WaitingRequest>>();
  readonly #ofPerson = new Map<string, Set<WaitingRequest>>();
  readonly #refused;
  #waiting = 0;
  #isStopped = false;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly feed: LiveFeed,
    metrics: Metrics,
  ) {
    this.#refused = liveRefusals(metrics);
    metrics.gauge('mortise_event_waiters', 'Requests that wait for events in this process', [], (gauge) => {
      gauge.set(this.#waiting);
    });
  }

  start(): void {
    this.#unsubscribe ??= this.feed.subscribe((event) => {
      this.wake(event);
    }, EventWaiters.name);
  }

  /** All who wait are answered now. */
  stop(): void {
    this.#unsubscribe?.();
    this.#isStopped = true;
    this.#ofPerson.forEach((requests) => {
      requests.forEach((request) => {
        request.end();
      });
    });
  }

  /**
   * @param gone when its client has closed the connection
   * @throws TooManyWaitingError, OverloadedError
   */
  open(scope: EventScope, gone: AbortSignal): EventWaiter {
    if ((this.#ofPerson.get(scope.userId)?.size ?? 0) >= MAX_OF_PERSON) {
      this.#refused('waiting');
      throw new TooManyWaitingError(MAX_OF_PERSON);
    }
    if (this.#waiting >= MAX_WAITING) {
      this.#refused('waiting');
      throw new OverloadedError();
    }
    this.#waiting += 1;
    const rooms = roomsOfScope(scope);
    const request = new WaitingRequest(gone, () => {
      this.#waiting -= 1;
      leave(this.#ofPerson, scope.userId, request);
      rooms.forEach((room) => {
        leave(this.#byRoom, room, request);
      });
    });
    enter(this.#ofPerson, scope.userId, request);
    rooms.forEach((room) => {
      enter(this.#byRoom, room, request);
    });
    if (this.#isStopped) {
      request.end();
    }
    return request;
  }

  private wake(event: RoutedEvent): void {
    roomsOfEvent(event).forEach((room) => {
      this.#byRoom.get(room)?.forEach((request) => {
        request.notify();
      });
    });
  }
}

class WaitingRequest implements EventWaiter {
  #hasNews = false;
  #isEnded = false;
  #isResting = false;
  #wake: () => void = () => undefined;
  readonly #end = (): void => {
    this.end();
  };

  constructor(
    private readonly gone: AbortSignal,
    private readonly onClose: () => void,
  ) {
    gone.addEventListener('abort', this.#end);
  }

  get isOver(): boolean {
    return this.#isEnded || this.gone.aborted;
  }

  notify(): void {
    this.#hasNews = true;
    if (!this.#isResting) {
      this.#wake();
    }
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async news(limitMs: number): Promise<void> {
    if (!this.#hasNews) {
      await this.sleep(limitMs);
    }
    this.#hasNews = false;
  }

  async rest(ms: number): Promise<void> {
    this.#isResting = true;
    await this.sleep(ms);
    this.#isResting = false;
  }

  close(): void {
    this.gone.removeEventListener('abort', this.#end);
    this.onClose();
  }

  private async sleep(ms: number): Promise<void> {
    if (this.isOver) {
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }
}

function enter<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  sets.set(key, (sets.get(key) ?? new Set()).add(value));
}

function leave<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const others = sets.get(key);
  others?.delete(value);
  if (others?.size === 0) {
    sets.delete(key);
  }
}

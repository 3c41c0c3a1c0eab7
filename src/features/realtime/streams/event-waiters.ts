import { Injectable } from '@nestjs/common';
import type { EventScope, RoutedEvent } from '../../../contracts/events.js';
import type { FeedRoom } from '../../../contracts/realtime.js';
import { OverloadedError } from '../../../platform/http/admission/admission-limiter.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import { liveRefusals } from '../../../platform/realtime/live-refusals.js';
import { roomsOfScope } from '../domain/feed-scope.js';
import type { FeedChannel } from '../feed/feed-channel.types.js';
import { FeedPublisher } from '../feed/feed-publisher.js';

/** Requests that wait at once in this process. */
const MAX_WAITING = 2_000;

/** A request that waits for news: for those since it was opened, or the last time. */
export interface EventWaiter {
  /** Waits until something happened that may concern it, or for so many milliseconds. False: the process stops. */
  news(limitMs: number): Promise<boolean>;
  close(): void;
}

/** Wakes requests that wait for events. It judges nothing: who is woken reads the log, and is told what they may see. */
@Injectable()
export class EventWaiters implements FeedChannel {
  readonly #byRoom = new Map<FeedRoom, Set<() => void>>();
  readonly #refused;
  #waiting = 0;
  #isStopped = false;

  constructor(
    private readonly publisher: FeedPublisher,
    metrics: Metrics,
  ) {
    this.#refused = liveRefusals(metrics);
    metrics.gauge('mortise_event_waiters', 'Requests that wait for events in this process', [], (gauge) => {
      gauge.set(this.#waiting);
    });
  }

  start(): void {
    this.publisher.open(this);
  }

  /** All who wait are answered now. */
  stop(): void {
    this.#isStopped = true;
    this.wakeAll();
  }

  /** @throws OverloadedError */
  open(scope: EventScope): EventWaiter {
    if (this.#waiting >= MAX_WAITING) {
      this.#refused('waiting');
      throw new OverloadedError();
    }
    this.#waiting += 1;
    let hasNews = false;
    let wake = (): void => undefined;
    const notify = (): void => {
      hasNews = true;
      wake();
    };
    const rooms = roomsOfScope(scope);
    rooms.forEach((room) => this.#byRoom.set(room, (this.#byRoom.get(room) ?? new Set()).add(notify)));
    return {
      news: async (limitMs) => {
        let timer: NodeJS.Timeout | undefined;
        if (!hasNews && !this.#isStopped) {
          await new Promise<void>((resolve) => {
            wake = resolve;
            timer = setTimeout(resolve, limitMs);
          });
        }
        clearTimeout(timer);
        hasNews = false;
        return !this.#isStopped;
      },
      close: () => {
        this.#waiting -= 1;
        rooms.forEach((room) => {
          this.leave(room, notify);
        });
      },
    };
  }

  listenersIn(): Iterable<string> {
    return [];
  }

  deliver(_event: RoutedEvent, rooms: readonly FeedRoom[]): void {
    rooms.forEach((room) => {
      this.#byRoom.get(room)?.forEach((notify) => {
        notify();
      });
    });
  }

  resyncAll(): void {
    this.wakeAll();
  }

  private wakeAll(): void {
    this.#byRoom.forEach((waiters) => {
      waiters.forEach((notify) => {
        notify();
      });
    });
  }

  private leave(room: FeedRoom, notify: () => void): void {
    const others = this.#byRoom.get(room);
    others?.delete(notify);
    if (others?.size === 0) {
      this.#byRoom.delete(room);
    }
  }
}

import { Injectable } from '@nestjs/common';
import type { EventScope, RoutedEvent, StoredEvent } from '../../../contracts/events.js';
import type { FeedRoom } from '../../../contracts/realtime.js';
import { encodeFrame } from '../../../platform/http/streams/event-frame.js';
import type { EventStream } from '../../../platform/http/streams/event-stream.js';
import { socketEventOf, toFeedMessage } from '../domain/feed-message.js';
import { roomsOfScope } from '../../history/feed/feed-scope.types.js';
import type { Verdicts } from '../../history/feed/verdict.types.js';
import type { FeedChannel, FeedSubscriber } from '../feed/feed-channel.types.js';
import { FeedPublisher } from '../feed/feed-publisher.js';
import { FeedReplayService } from '../feed/feed-replay.service.js';
import { streamMessage } from './stream-message.js';

/** The channel of the feed that is made of event streams. */
@Injectable()
export class EventStreamPublisher implements FeedChannel {
  readonly #byRoom = new Map<FeedRoom, Set<StreamSubscriber>>();

  constructor(
    private readonly publisher: FeedPublisher,
    private readonly replays: FeedReplayService,
  ) {}

  start(): void {
    this.publisher.open(this);
  }

  /** Everything up to here was published. Null: nothing was yet, since this process started. */
  get cursor(): string | null {
    return this.publisher.cursor;
  }

  /** Sends what followed `after`, then what happens, until the stream is closed. */
  async join(stream: EventStream, scope: EventScope, after: string): Promise<void> {
    await this.replays.replay(new StreamSubscriber(stream, scope, this.#byRoom), after);
  }

  *listenersIn(rooms: readonly FeedRoom[]): Iterable<string> {
    for (const { scope } of this.subscribersIn(rooms)) {
      yield scope.userId;
    }
  }

  deliver(event: RoutedEvent, rooms: readonly FeedRoom[], verdicts: Verdicts): void {
    // Encoded once, for all.
    let frame: Buffer | null | undefined;
    for (const subscriber of this.subscribersIn(rooms)) {
      const verdict = verdicts.get(subscriber.scope.userId);
      if (verdict && verdict.askedAt > subscriber.joinedAt) {
        verdict.leaves.forEach((room) => {
          subscriber.leave(room);
        });
      }
      if (verdict?.maySee === true) {
        frame ??= frameOf(event);
        subscriber.write(frame);
      }
    }
  }

  resyncAll(cursor: string): void {
    const frame = resetFrame(cursor);
    for (const subscriber of new Set([...this.#byRoom.values()].flatMap((subscribers) => [...subscribers]))) {
      subscriber.write(frame);
    }
  }

  private subscribersIn(rooms: readonly FeedRoom[]): ReadonlySet<StreamSubscriber> {
    const [first, ...more] = rooms.flatMap((room) => this.#byRoom.get(room) ?? []);
    return first === undefined || more.length === 0
      ? (first ?? new Set())
      : new Set([first, ...more].flatMap((subscribers) => [...subscribers]));
  }
}

/** A stream with what it hears. */
class StreamSubscriber implements FeedSubscriber {
  /** By `performance.now()`: what was decided before does not send it away. */
  joinedAt = Infinity;
  readonly #rooms = new Set<FeedRoom>();

  constructor(
    private readonly stream: EventStream,
    readonly scope: EventScope,
    private readonly byRoom: Map<FeedRoom, Set<StreamSubscriber>>,
  ) {
    stream.onClose(() => {
      this.#rooms.forEach((room) => {
        this.leave(room);
      });
    });
  }

  get isClosed(): boolean {
    return this.stream.isClosed;
  }

  send(event: StoredEvent): void {
    this.write(frameOf(event));
  }

  write(frame: Buffer | null): void {
    if (frame) {
      this.stream.write(frame);
    }
  }

  join(): void {
    if (this.isClosed) {
      return;
    }
    this.joinedAt = performance.now();
    for (const room of roomsOfScope(this.scope)) {
      this.#rooms.add(room);
      this.byRoom.set(room, (this.byRoom.get(room) ?? new Set()).add(this));
    }
  }

  leave(room: FeedRoom): void {
    this.#rooms.delete(room);
    const others = this.byRoom.get(room);
    others?.delete(this);
    if (others?.size === 0) {
      this.byRoom.delete(room);
    }
  }

  resync(cursor: string | null): void {
    this.join();
    this.write(resetFrame(cursor));
  }
}

/** Null for an event that dashboards do not get. */
function frameOf(event: StoredEvent): Buffer | null {
  const name = socketEventOf(event.type);
  return name && encodeFrame({ id: event.cursor, event: name, data: toFeedMessage(event) });
}

function resetFrame(cursor: string | null): Buffer {
  return streamMessage('reset', { cursor }, cursor === null ? {} : { id: cursor });
}

import { Injectable } from '@nestjs/common';
import type { EventScope, RoutedEvent, StoredEvent } from '../../../contracts/events.js';
import type { FeedRoom } from '../../../contracts/realtime.js';
import { inBackground } from '../../../platform/process/faults.js';
import {
  type DashboardServer,
  type DashboardSocket,
  emitLocally,
  joinRooms,
  resyncAll,
  socketsIn,
} from '../../../platform/realtime/sockets.js';
import { socketEventOf, toFeedMessage } from '../domain/feed-message.js';
import { ADMIN_EVENTS, roomsOfScope } from '../domain/feed-scope.js';
import type { FeedChannel, FeedSubscriber, Verdicts } from '../feed/feed-channel.types.js';
import { FeedPublisher } from '../feed/feed-publisher.js';
import { FeedReplayService } from '../feed/feed-replay.service.js';
import { principalOf } from './dashboard-principal.js';

/** The channel of the feed that is made of sockets. */
@Injectable()
export class DashboardPublisher implements FeedChannel {
  #server: DashboardServer | undefined;

  constructor(
    private readonly publisher: FeedPublisher,
    private readonly replays: FeedReplayService,
  ) {}

  start(server: DashboardServer): void {
    this.#server = server;
    this.publisher.open(this);
  }

  stop(): void {
    this.publisher.stop();
  }

  /** Sends a new socket the events of its user, from `lastCursor` on if it named one. */
  async join(socket: DashboardSocket): Promise<void> {
    const { lastCursor } = socket.data;
    const subscriber = new SocketSubscriber(socket);
    if (lastCursor === undefined) {
      subscriber.join();
    } else {
      await this.replays.replay(subscriber, lastCursor);
    }
  }

  *listenersIn(rooms: readonly FeedRoom[]): Iterable<string> {
    for (const socket of this.socketsIn(rooms)) {
      yield principalOf(socket).userId;
    }
  }

  deliver(event: RoutedEvent, rooms: readonly FeedRoom[], verdicts: Verdicts): void {
    const name = socketEventOf(event.type);
    const except = this.socketsIn(rooms).filter((socket) => {
      const verdict = verdicts.get(principalOf(socket).userId);
      verdict?.leaves.forEach((room) => {
        inBackground(() => Promise.resolve(socket.leave(room)));
      });
      return verdict?.maySee !== true;
    });
    if (this.#server && name) {
      emitLocally(this.#server, { rooms, except }, name, toFeedMessage(event));
    }
  }

  resyncAll(cursor: string): void {
    if (this.#server) {
      resyncAll(this.#server, cursor);
    }
  }

  private socketsIn(rooms: readonly FeedRoom[]): DashboardSocket[] {
    return this.#server ? socketsIn(this.#server, rooms) : [];
  }
}

/** A dashboard that catches up. */
class SocketSubscriber implements FeedSubscriber {
  readonly scope: EventScope;

  constructor(private readonly socket: DashboardSocket) {
    const { userId, role } = principalOf(socket);
    const organizationIds = socket.data.organizationIds ?? [];
    this.scope = { userId, organizationIds, deviceIds: [], types: role === 'ADMIN' ? ADMIN_EVENTS : [] };
  }

  get isClosed(): boolean {
    return this.socket.disconnected;
  }

  send(event: StoredEvent): void {
    const name = socketEventOf(event.type);
    if (name) {
      this.socket.emit(name, toFeedMessage(event));
    }
  }

  join(): void {
    joinRooms(this.socket, roomsOfScope(this.scope));
  }

  resync(cursor: string | null): void {
    this.join();
    this.socket.emit('resync', { cursor });
  }
}

import { Injectable } from '@nestjs/common';
import type { DeviceHeartbeat } from '../../../contracts/devices.js';
import type { EventScope, RoutedEvent, StoredEvent } from '../../../contracts/events.js';
import type { ExportNews, FeedRoom } from '../../../contracts/realtime.js';
import { EventBatcher } from '../../../platform/realtime/event-batcher.js';
import {
  type DashboardServer,
  type DashboardSocket,
  emitLocally,
  emitTo,
  emitToEach,
  joinRooms,
  leaveRooms,
  resyncAll,
  socketsIn,
} from '../../../platform/realtime/sockets.js';
import { type NamedMessage, toEventFrame } from '../domain/event-frame.js';
import { socketEventOf, toFeedMessage } from '../domain/feed-message.js';
import { ADMIN_EVENTS, roomsOfScope } from '../../history/feed/feed-scope.types.js';
import type { Verdicts } from '../../history/feed/verdict.types.js';
import type { FeedChannel, FeedSubscriber } from '../feed/feed-channel.types.js';
import { FeedPublisher } from '../feed/feed-publisher.js';
import { FeedReplayService } from '../feed/feed-replay.service.js';
import { principalOf } from './dashboard-principal.js';

/** An event waits so long for others that are sent with it. */
const BATCH_WINDOW_MS = 20;
const MAX_BATCH = 200;

/** The channel of the feed that is made of sockets. */
@Injectable()
export class DashboardPublisher implements FeedChannel {
  #server: DashboardServer | undefined;
  /** For sockets that asked for it. */
  readonly #batches = new EventBatcher<NamedMessage>({
    windowMs: BATCH_WINDOW_MS,
    maxEvents: MAX_BATCH,
    send: (sockets, events) => {
      this.sendTogether(sockets, events);
    },
  });
  /** What a socket catches up with comes in turn, the feed of its person first. */
  readonly #turns = new WeakMap<DashboardSocket, Promise<unknown>>();

  constructor(
    private readonly publisher: FeedPublisher,
    private readonly replays: FeedReplayService,
  ) {}

  start(server: DashboardServer): void {
    this.#server = server;
    this.publisher.open(this);
  }

  /** Sends a new socket the events of its user, from `lastCursor` on if it named one. */
  async join(socket: DashboardSocket): Promise<void> {
    const { lastCursor, isBatched } = socket.data;
    if (isBatched) {
      socket.data.flush = () => {
        this.#batches.flush(socket);
      };
    }
    const subscriber = new SocketSubscriber(socket, scopeOf(socket), this.#batches);
    this.#turns.set(socket, subscriber.joined);
    if (lastCursor === undefined) {
      subscriber.join();
    } else {
      await this.replays.replay(subscriber, lastCursor);
    }
  }

  /**
   * Sends a socket the events of a device, from a cursor on.
   * @returns the cursor up to which it has been sent everything that it hears; null: nothing was published yet
   */
  async follow(socket: DashboardSocket, deviceId: string, lastCursor: string): Promise<string | null> {
    const catchUp = async (): Promise<string | null> => {
      const scope = { ...scopeOf(socket), organizationIds: [], deviceIds: [deviceId], types: [] };
      const subscriber = new SocketSubscriber(socket, { ...scope, withoutOwn: true }, this.#batches, deviceId);
      await this.replays.replay(subscriber, lastCursor);
      await subscriber.joined;
      return this.sentUpTo(socket);
    };
    const turn = (this.#turns.get(socket) ?? Promise.resolve()).then(catchUp);
    this.#turns.set(
      socket,
      turn.catch(() => null),
    );
    return turn;
  }

  /** The cursor up to which a socket has been sent everything that it hears, once it has caught up. */
  async reached(socket: DashboardSocket): Promise<string | null> {
    await this.#turns.get(socket);
    return this.sentUpTo(socket);
  }

  *listenersIn(rooms: readonly FeedRoom[]): Iterable<string> {
    for (const socket of this.socketsIn(rooms)) {
      yield principalOf(socket).userId;
    }
  }

  deliver(event: RoutedEvent, rooms: readonly FeedRoom[], verdicts: Verdicts): void {
    const name = socketEventOf(event.type);
    if (!this.#server || !name) {
      return;
    }
    const { seeing, except } = this.judged(rooms, verdicts);
    const named = { event: name, message: toFeedMessage(event) };
    for (const socket of seeing) {
      if (socket.data.flush) {
        this.#batches.push(socket, named);
        except.push(socket);
      }
    }
    emitLocally(this.#server, { rooms, except }, name, named.message);
  }

  /** Sends a heartbeat to those in these rooms who may see its device. */
  deliverHeartbeat(heartbeat: DeviceHeartbeat, rooms: readonly FeedRoom[], verdicts: Verdicts): void {
    const { except } = this.judged(rooms, verdicts);
    if (this.#server) {
      emitLocally(this.#server, { rooms, except }, 'device_heartbeat', heartbeat);
    }
  }

  /** Tells a person, on all of their dashboards, what concerns no other and is no part of the log. */
  tellPerson(userId: string, event: 'export_progress', news: ExportNews): void {
    if (this.#server) {
      emitLocally(this.#server, { rooms: [`user:${userId}`] }, event, news);
    }
  }

  resyncAll(cursor: string): void {
    if (this.#server) {
      resyncAll(this.#server, cursor);
    }
  }

  /** What waits to be sent together is sent before the answer that names this cursor. */
  private sentUpTo(socket: DashboardSocket): string | null {
    this.#batches.flush(socket);
    return this.publisher.cursor;
  }

  /** An event that was alone in its window comes as itself. */
  private sendTogether(sockets: readonly DashboardSocket[], events: readonly NamedMessage[]): void {
    const [first] = events;
    if (this.#server && first) {
      if (events.length === 1) {
        emitToEach(this.#server, sockets, first.event, first.message);
      } else {
        emitToEach(this.#server, sockets, 'events', toEventFrame(events));
      }
    }
  }

  /** The sockets in these rooms whose person may see it, and the others: they may not, or were not asked about. */
  private judged(
    rooms: readonly FeedRoom[],
    verdicts: Verdicts,
  ): { readonly seeing: DashboardSocket[]; readonly except: DashboardSocket[] } {
    const [seeing, except]: [DashboardSocket[], DashboardSocket[]] = [[], []];
    for (const socket of this.socketsIn(rooms)) {
      const verdict = verdicts.get(principalOf(socket).userId);
      if (verdict) {
        leaveRooms(socket, verdict.leaves, verdict.askedAt);
      }
      (verdict?.maySee === true ? seeing : except).push(socket);
    }
    return { seeing, except };
  }

  private socketsIn(rooms: readonly FeedRoom[]): DashboardSocket[] {
    return this.#server ? socketsIn(this.#server, rooms) : [];
  }
}

function scopeOf(socket: DashboardSocket): EventScope {
  const { userId, role } = principalOf(socket);
  const organizationIds = socket.data.organizationIds ?? [];
  return { userId, organizationIds, deviceIds: [], types: role === 'ADMIN' ? ADMIN_EVENTS : [] };
}

/** A dashboard that catches up, with everything that it hears or with one device. */
class SocketSubscriber implements FeedSubscriber {
  /** Settles when the feed goes on; not at all for a socket that is closed before. */
  readonly joined: Promise<void>;
  #settle: () => void = () => undefined;

  constructor(
    private readonly socket: DashboardSocket,
    readonly scope: EventScope,
    private readonly batches: EventBatcher<NamedMessage>,
    private readonly deviceId?: string,
  ) {
    this.joined = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get isClosed(): boolean {
    return this.socket.disconnected;
  }

  send(event: StoredEvent): void {
    const name = socketEventOf(event.type);
    if (name && this.socket.data.flush) {
      this.batches.push(this.socket, { event: name, message: toFeedMessage(event) });
    } else if (name) {
      this.socket.emit(name, toFeedMessage(event));
    }
  }

  join(): void {
    joinRooms(this.socket, roomsOfScope(this.scope));
    this.#settle();
  }

  resync(cursor: string | null): void {
    this.join();
    emitTo(this.socket, 'resync', { cursor, ...(this.deviceId !== undefined && { deviceId: this.deviceId }) });
  }
}

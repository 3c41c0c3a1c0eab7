import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { StoredEvent } from '../../contracts/events.js';
import { EventLog } from '../../platform/events/event-log.js';
import { LiveFeed } from '../../platform/events/live-feed.js';
import { isCursorAfter } from '../../platform/events/log-position.js';
import { LimitedLogger } from '../../platform/logging/limited-logger.js';
import { inBackground } from '../../platform/process/faults.js';
import {
  type DashboardServer,
  type DashboardSocket,
  emitLocally,
  resyncAll,
  type Room,
  socketsIn,
} from '../../platform/realtime/sockets.js';
import { socketEventOf, toFeedMessage } from './domain/feed-message.js';
import { principalOf } from './realtime.service.js';
import { FeedAuthorizer } from './feed-authorizer.js';

const REPLAY_PAGE = 200;
const MAX_REPLAY = 2_000;
/** A user whose devices send events without a pause cannot catch up page by page: the dashboard reads the state again. */
const MAX_ROUNDS = 50;
const MAX_BACKLOG = 10_000;
const ADMINS = 'role:ADMIN' satisfies Room;

/** A dashboard whose missed events are being replayed, and how many new ones of its user were published meanwhile. */
interface Replay {
  readonly userId: string;
  missed: number;
}

/**
 * Publishes the event log to the dashboards of this process, in order, each event only to users who may see the device
 * at that moment. A dashboard that reconnects first gets the events it missed, then joins without gap or repeat.
 */
@Injectable()
export class DashboardFeedPublisher {
  readonly #backlog: StoredEvent[] = [];
  /** Dashboards that replayed events this process has not published yet: they join when it has. */
  readonly #ahead = new Map<DashboardSocket, string>();
  readonly #replays = new Set<Replay>();
  #server: DashboardServer | undefined;
  #delivered: string | undefined;
  #draining = false;
  readonly #log: LimitedLogger;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly feed: LiveFeed,
    private readonly log: EventLog,
    private readonly authorizer: FeedAuthorizer,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(DashboardFeedPublisher.name);
    this.#log = new LimitedLogger(logger);
  }

  start(server: DashboardServer): void {
    this.#server = server;
    this.#unsubscribe = this.feed.subscribe((event) => {
      this.enqueue(event);
    });
  }

  stop(): void {
    this.#unsubscribe?.();
  }

  /** Sends a new socket the events of its user's devices, from `lastCursor` on if it named one. */
  async join(socket: DashboardSocket): Promise<void> {
    const { lastCursor } = socket.data;
    if (lastCursor === undefined) {
      this.joinRooms(socket);
      return;
    }
    try {
      await this.replay(socket, lastCursor);
    } catch (error) {
      this.logger.debug({ err: error }, 'Missed events could not be replayed to a dashboard');
      this.resync(socket);
    }
  }

  private async replay(socket: DashboardSocket, lastCursor: string): Promise<void> {
    const { userId } = principalOf(socket);
    const replay: Replay = { userId, missed: 0 };
    this.#replays.add(replay);
    try {
      let cursor = lastCursor;
      for (let sent = 0, rounds = 0; sent < MAX_REPLAY && rounds < MAX_ROUNDS; rounds += 1) {
        const { missed } = replay;
        const page = await this.log.page({ after: cursor, userId, order: 'asc', limit: REPLAY_PAGE });
        for (const event of page.items) {
          await this.sendTo(socket, userId, event);
          cursor = event.cursor;
        }
        sent += page.items.length;
        // No await between this check and the join, so that the room gets every event published from here on.
        if (page.items.length < REPLAY_PAGE && missed === replay.missed) {
          this.joinAt(socket, cursor);
          return;
        }
      }
    } finally {
      this.#replays.delete(replay);
    }
    this.resync(socket);
  }

  /** Joins at once, or when this process has published the log up to `cursor`. */
  private joinAt(socket: DashboardSocket, cursor: string): void {
    this.#ahead.set(socket, cursor);
    socket.once('disconnect', () => this.#ahead.delete(socket));
    this.joinReached();
  }

  private joinRooms(socket: DashboardSocket): void {
    const { userId, role } = principalOf(socket);
    const own: Room = `user:${userId}`;
    inBackground(() => Promise.resolve(socket.join(role === 'ADMIN' ? [own, ADMINS] : own)));
  }

  private resync(socket: DashboardSocket): void {
    this.joinRooms(socket);
    socket.emit('resync', { cursor: this.#delivered ?? this.feed.cursor });
  }

  private enqueue(event: StoredEvent): void {
    if (this.#backlog.length >= MAX_BACKLOG) {
      this.#log.warn(
        'too_far_behind',
        { dropped: this.#backlog.length },
        'Dashboards are too far behind; they must read the state again',
      );
      this.#backlog.length = 0;
      if (this.#server) {
        resyncAll(this.#server, event.cursor);
      }
    }
    this.#backlog.push(event);
    if (!this.#draining) {
      inBackground(() => this.drain());
    }
  }

  private async drain(): Promise<void> {
    this.#draining = true;
    for (let event = this.#backlog.shift(); event; event = this.#backlog.shift()) {
      try {
        await this.deliver(event);
        this.#delivered = event.cursor;
        this.joinReached();
      } catch (error) {
        this.#delivered = event.cursor;
        this.#log.error('not_delivered', { err: error, type: event.type }, 'An event did not reach the dashboards');
      }
    }
    this.#draining = false;
  }

  private joinReached(): void {
    const reached = this.#delivered ?? this.feed.cursor;
    for (const [socket, cursor] of this.#ahead) {
      if (reached === null || !isCursorAfter(cursor, reached)) {
        this.#ahead.delete(socket);
        this.joinRooms(socket);
      }
    }
  }

  private async deliver(event: StoredEvent): Promise<void> {
    const server = this.#server;
    const socketEvent = socketEventOf(event.type);
    if (!server || !socketEvent) {
      return;
    }
    this.#replays.forEach((replay) => {
      replay.missed += replay.userId === event.userId ? 1 : 0;
    });
    const rooms: Room[] = [];
    if (event.userId !== null) {
      const room: Room = `user:${event.userId}`;
      if (socketsIn(server, room).length > 0 && (await this.authorizer.maySee(event.userId, event))) {
        rooms.push(room);
      }
    }
    if (event.deviceId !== null) {
      rooms.push(await this.deviceRoom(server, event.deviceId, event));
    }
    if (event.type === 'system_alert') {
      rooms.push(await this.adminRoom(server));
    }
    emitLocally(server, rooms, socketEvent, toFeedMessage(event));
  }

  /** The room of the device's subscribers, after sockets whose user may no longer see the device have left it. */
  private async deviceRoom(server: DashboardServer, deviceId: string, event: StoredEvent): Promise<Room> {
    const room: Room = `device:${deviceId}`;
    for (const socket of socketsIn(server, room)) {
      if (!(await this.authorizer.maySee(principalOf(socket).userId, event))) {
        await socket.leave(room);
      }
    }
    return room;
  }

  /** The room of administrators, after sockets whose user is no longer one have left it. */
  private async adminRoom(server: DashboardServer): Promise<Room> {
    for (const socket of socketsIn(server, ADMINS)) {
      if (!(await this.authorizer.maySeeSystemAlerts(principalOf(socket).userId))) {
        await socket.leave(ADMINS);
      }
    }
    return ADMINS;
  }

  private async sendTo(socket: DashboardSocket, userId: string, event: StoredEvent): Promise<void> {
    const socketEvent = socketEventOf(event.type);
    if (socketEvent && (await this.authorizer.maySee(userId, event))) {
      socket.emit(socketEvent, toFeedMessage(event));
    }
  }
}

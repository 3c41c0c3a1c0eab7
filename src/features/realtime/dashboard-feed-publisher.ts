import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { StoredEvent } from '../../contracts/events.js';
import { EventLog } from '../../platform/events/event-log.js';
import { LiveFeed } from '../../platform/events/live-feed.js';
import { isCursorAfter } from '../../platform/events/log-position.js';
import {
  type DashboardServer,
  type DashboardSocket,
  emitLocally,
  type Room,
  socketsIn,
} from '../../platform/realtime/sockets.js';
import { socketEventOf, toFeedMessage } from './domain/feed-message.js';
import { principalOf } from './realtime.service.js';
import { FeedAuthorizer } from './feed-authorizer.js';

const REPLAY_PAGE = 200;
const MAX_REPLAY = 2_000;
/** Somebody whose devices never fall silent long enough to join between two events reads the state again instead. */
const MAX_ROUNDS = 50;
const MAX_BACKLOG = 10_000;
const ADMINS = 'role:ADMIN' satisfies Room;

/** A dashboard that is being caught up, and how much of its person's went by meanwhile. */
interface Absence {
  readonly userId: string;
  missed: number;
}

/**
 * Carries the log to the dashboards of this process, in order, each entry only to people who may see the device at
 * that moment. A dashboard that returns first gets what it missed, then joins without a gap and without a repeat.
 */
@Injectable()
export class DashboardFeedPublisher {
  readonly #backlog: StoredEvent[] = [];
  /** Dashboards that were given entries ahead of this process: they join when it gets there. */
  readonly #ahead = new Map<DashboardSocket, string>();
  readonly #absences = new Set<Absence>();
  #server: DashboardServer | undefined;
  #delivered: string | undefined;
  #draining = false;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly feed: LiveFeed,
    private readonly log: EventLog,
    private readonly viewers: FeedAuthorizer,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(DashboardFeedPublisher.name);
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

  /** Lets a new socket hear its person's devices, from `lastCursor` on if it named one. */
  async join(socket: DashboardSocket): Promise<void> {
    const { lastCursor } = socket.data;
    if (lastCursor === undefined) {
      this.enter(socket);
      return;
    }
    try {
      await this.replay(socket, lastCursor);
    } catch (error) {
      this.logger.debug({ err: error }, 'A dashboard could not be caught up');
      this.resync(socket);
    }
  }

  private async replay(socket: DashboardSocket, lastCursor: string): Promise<void> {
    const { userId } = principalOf(socket);
    const absence: Absence = { userId, missed: 0 };
    this.#absences.add(absence);
    try {
      let cursor = lastCursor;
      for (let sent = 0, rounds = 0; sent < MAX_REPLAY && rounds < MAX_ROUNDS; rounds += 1) {
        const { missed } = absence;
        const page = await this.log.page({ after: cursor, userId, order: 'asc', limit: REPLAY_PAGE });
        for (const event of page.items) {
          await this.sendTo(socket, userId, event);
          cursor = event.cursor;
        }
        sent += page.items.length;
        // No await between this look and the join: what is delivered from here on is heard in the room.
        if (page.items.length < REPLAY_PAGE && missed === absence.missed) {
          this.enterAt(socket, cursor);
          return;
        }
      }
    } finally {
      this.#absences.delete(absence);
    }
    this.resync(socket);
  }

  /** Joins at once, or when this process gets to where the log has been read to. */
  private enterAt(socket: DashboardSocket, cursor: string): void {
    this.#ahead.set(socket, cursor);
    socket.once('disconnect', () => this.#ahead.delete(socket));
    this.admitArrived();
  }

  private enter(socket: DashboardSocket): void {
    const { userId, role } = principalOf(socket);
    void socket.join(`user:${userId}` satisfies Room);
    if (role === 'ADMIN') {
      void socket.join(ADMINS);
    }
  }

  private resync(socket: DashboardSocket): void {
    this.enter(socket);
    socket.emit('resync', { cursor: this.#delivered ?? this.feed.cursor });
  }

  private enqueue(event: StoredEvent): void {
    if (this.#backlog.length >= MAX_BACKLOG) {
      this.logger.warn({ dropped: this.#backlog.length }, 'Dashboards are too far behind; they are told to read again');
      this.#backlog.length = 0;
      this.#server?.local.emit('resync', { cursor: event.cursor });
    }
    this.#backlog.push(event);
    if (!this.#draining) {
      void this.drain();
    }
  }

  private async drain(): Promise<void> {
    this.#draining = true;
    for (let event = this.#backlog.shift(); event; event = this.#backlog.shift()) {
      try {
        await this.deliver(event);
      } catch (error) {
        this.logger.error({ err: error, type: event.type }, 'An event did not reach the dashboards');
      }
      this.#delivered = event.cursor;
      this.admitArrived();
    }
    this.#draining = false;
  }

  private admitArrived(): void {
    const reached = this.#delivered ?? this.feed.cursor;
    for (const [socket, cursor] of this.#ahead) {
      if (reached === null || !isCursorAfter(cursor, reached)) {
        this.#ahead.delete(socket);
        this.enter(socket);
      }
    }
  }

  private async deliver(event: StoredEvent): Promise<void> {
    const server = this.#server;
    const carrier = socketEventOf(event.type);
    if (!server || !carrier) {
      return;
    }
    this.#absences.forEach((absence) => {
      absence.missed += absence.userId === event.userId ? 1 : 0;
    });
    const rooms: Room[] = [];
    if (event.userId !== null) {
      const room: Room = `user:${event.userId}`;
      if (socketsIn(server, room).length > 0 && (await this.viewers.maySee(event.userId, event))) {
        rooms.push(room);
      }
    }
    if (event.deviceId !== null) {
      rooms.push(await this.viewersOf(server, event.deviceId, event));
    }
    if (event.type === 'system_alert') {
      rooms.push(await this.adminsOf(server));
    }
    emitLocally(server, rooms, carrier, toFeedMessage(event));
  }

  /** The room of those who subscribed to the device, after whoever may no longer see it has been put out. */
  private async viewersOf(server: DashboardServer, deviceId: string, event: StoredEvent): Promise<Room> {
    const room: Room = `device:${deviceId}`;
    for (const socket of socketsIn(server, room)) {
      if (!(await this.viewers.maySee(principalOf(socket).userId, event))) {
        await socket.leave(room);
      }
    }
    return room;
  }

  /** The room of administrators, after whoever no longer is one has been put out. */
  private async adminsOf(server: DashboardServer): Promise<Room> {
    for (const socket of socketsIn(server, ADMINS)) {
      if (!(await this.viewers.mayHearOfSystem(principalOf(socket).userId))) {
        await socket.leave(ADMINS);
      }
    }
    return ADMINS;
  }

  private async sendTo(socket: DashboardSocket, userId: string, event: StoredEvent): Promise<void> {
    const carrier = socketEventOf(event.type);
    if (carrier && (await this.viewers.maySee(userId, event))) {
      socket.emit(carrier, toFeedMessage(event));
    }
  }
}

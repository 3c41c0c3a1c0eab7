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
import { carrierOf, toFeedMessage } from './domain/feed-message.js';
import { principalOf } from './realtime.service.js';
import { Viewers } from './viewers.js';

const REPLAY_PAGE = 200;
const MAX_REPLAY = 2_000;
const MAX_BACKLOG = 10_000;
const ADMINS = 'role:ADMIN' satisfies Room;

/**
 * Carries the log to the dashboards of this process, in order, each entry only to people who may see the device at
 * that moment. A dashboard that returns first gets what it missed, then joins without a gap and without a repeat.
 */
@Injectable()
export class DashboardFeed {
  readonly #backlog: StoredEvent[] = [];
  /** Dashboards that were given entries ahead of this process: they join when it gets there. */
  readonly #ahead = new Map<DashboardSocket, string>();
  #server: DashboardServer | undefined;
  #delivered: string | undefined;
  #draining = false;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly feed: LiveFeed,
    private readonly log: EventLog,
    private readonly viewers: Viewers,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(DashboardFeed.name);
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
    let cursor = lastCursor;
    for (let sent = 0; sent < MAX_REPLAY;) {
      const page = await this.log.page({ after: cursor, userId, order: 'asc', limit: REPLAY_PAGE });
      for (const event of page.items) {
        await this.sendTo(socket, userId, event);
        cursor = event.cursor;
      }
      sent += page.items.length;
      if (page.items.length < REPLAY_PAGE && this.enterAt(socket, cursor)) {
        return;
      }
    }
    this.resync(socket);
  }

  /** Joins now if nothing was delivered past `cursor` meanwhile; no await between the check and the join. */
  private enterAt(socket: DashboardSocket, cursor: string): boolean {
    if (this.#delivered !== undefined && isCursorAfter(this.#delivered, cursor)) {
      return this.#delivered === cursor;
    }
    this.#ahead.set(socket, cursor);
    socket.once('disconnect', () => this.#ahead.delete(socket));
    this.admitArrived();
    return true;
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
    for (const [socket, cursor] of this.#ahead) {
      if (this.#delivered === undefined || !isCursorAfter(cursor, this.#delivered)) {
        this.#ahead.delete(socket);
        this.enter(socket);
      }
    }
  }

  private async deliver(event: StoredEvent): Promise<void> {
    const server = this.#server;
    const carrier = carrierOf(event.type);
    if (!server || !carrier) {
      return;
    }
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
    const carrier = carrierOf(event.type);
    if (carrier && (await this.viewers.maySee(userId, event))) {
      socket.emit(carrier, toFeedMessage(event));
    }
  }
}

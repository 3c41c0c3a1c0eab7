import type { Server as IoServer, Socket as IoSocket } from 'socket.io';
import type { DashboardEvents, DashboardRequests, SocketProblem } from '../../contracts/realtime.js';
import type { Principal } from '../auth/principal.js';
import { problemOf } from '../http/problem.js';

interface SocketData {
  principal?: Principal;
  /** Where this dashboard wants to go on from. */
  lastCursor?: string;
}

type Io = IoServer<DashboardRequests, DashboardEvents, Record<string, never>, SocketData>;
type Connection = IoSocket<DashboardRequests, DashboardEvents, Record<string, never>, SocketData>;

/** One dashboard, without the ways that lead from it to others. */
export type DashboardSocket = Omit<Connection, 'broadcast' | 'to' | 'in' | 'except' | 'local' | 'nsp' | 'server'>;

/**
 * The dashboards of this process. They are reached by the functions of this file alone: socket.io itself takes an empty
 * list of rooms for *every socket* (promise P-35).
 */
export type DashboardServer = Pick<Io, 'use'>;

/** Rooms by what they are for. Two kinds never collide. */
export type Room = `user:${string}` | `session:${string}` | `device:${string}` | 'role:ADMIN';

/** Emits to the sockets of this process that are in any of `rooms`, once each. No rooms means no socket. */
export function emitLocally<E extends keyof DashboardEvents>(
  server: DashboardServer,
  rooms: readonly Room[],
  event: E,
  ...message: Parameters<DashboardEvents[E]>
): void {
  if (rooms.length > 0) {
    (server as Io).local.to([...rooms]).emit(event, ...message);
  }
}

/** Tells every dashboard of this process to read the state again. Nothing that is about one person goes to all of them. */
export function resyncAll(server: DashboardServer, cursor: string): void {
  (server as Io).local.emit('resync', { cursor });
}

/** What went wrong, as sockets are told. */
export function socketProblemOf(error: unknown): SocketProblem {
  const { code, title, detail, status, retryAfter } = problemOf(error);
  return { code, title, detail, status, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

/** Ends the connection after a last message that says why. Its client connects again by itself. */
export function closeWith(socket: DashboardSocket, problem: SocketProblem): void {
  socket.emit('closing', problem);
  socket.conn.close();
}

/** Ends the sockets of this process in `room`. */
export function disconnectLocally(server: DashboardServer, room: Room): void {
  (server as Io).local.in(room).disconnectSockets(true);
}

/** The sockets of this process: none where it has never listened. */
export function allSockets(server: DashboardServer | null): DashboardSocket[] {
  return [...((server as Io | null)?.of('/').sockets.values() ?? [])];
}

/** The sockets of this process in `room`. */
export function socketsIn(server: DashboardServer, room: Room): DashboardSocket[] {
  const namespace = (server as Io).of('/');
  const ids = namespace.adapter.rooms.get(room) ?? new Set<string>();
  return [...ids].flatMap((id) => namespace.sockets.get(id) ?? []);
}

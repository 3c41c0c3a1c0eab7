import type { Server as IoServer, Socket as IoSocket } from 'socket.io';
import type { DashboardEvents, DashboardRequests } from '../../contracts/realtime.js';
import type { Principal } from '../auth/principal.js';

interface SocketData {
  principal?: Principal;
  /** Where this dashboard wants to go on from. */
  lastCursor?: string;
}

export type DashboardSocket = IoSocket<DashboardRequests, DashboardEvents, Record<string, never>, SocketData>;
export type DashboardServer = IoServer<DashboardRequests, DashboardEvents, Record<string, never>, SocketData>;

/** Rooms by what they are for. Two kinds never collide. */
export type Room = `user:${string}` | `session:${string}` | `device:${string}` | 'role:ADMIN';

/**
 * Emits to the sockets of this process that are in any of `rooms`, once each. No rooms means no socket: with socket.io
 * itself, an empty list means *every socket* (promise P-35).
 */
export function emitLocally<E extends keyof DashboardEvents>(
  server: DashboardServer,
  rooms: readonly Room[],
  event: E,
  ...message: Parameters<DashboardEvents[E]>
): void {
  if (rooms.length > 0) {
    server.local.to([...rooms]).emit(event, ...message);
  }
}

/** The sockets of this process in `room`. */
export function socketsIn(server: DashboardServer, room: Room): DashboardSocket[] {
  const namespace = server.of('/');
  const ids = namespace.adapter.rooms.get(room) ?? new Set<string>();
  return [...ids].flatMap((id) => namespace.sockets.get(id) ?? []);
}

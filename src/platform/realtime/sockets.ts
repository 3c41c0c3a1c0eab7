import type { Server as IoServer, Socket as IoSocket } from 'socket.io';
import type {
  DashboardEvents,
  DashboardRequests,
  FeedRoom,
  RefusedRequest,
  SocketProblem,
} from '../../contracts/realtime.js';
import type { Principal } from '../auth/principal.js';
import type { FieldError } from '../../shared/domain-error.js';
import { problemOf } from '../http/problems/problem.js';
import { inBackground } from '../process/faults.js';
import { problemsUrl } from '../http/problems/http-problems.js';
import { secondsBetween } from '../scheduling/jitter.js';
import { HandshakesBusyError } from './handshake-limiter.js';
import { ShuttingDownError } from './socket.errors.js';

const MAX_FAULTS_LENGTH = 4_096;
const MAX_NAME_LENGTH = 64;
const TOO_MANY = 429;
const SERVICE_UNAVAILABLE = 503;
/** When clients come back that hear at one moment that the service is unavailable, in seconds. */
const BACK_WITHIN_S = [1, 5] as const;

interface SocketData {
  principal?: Principal;
  /** When its access token expires, in milliseconds since 1970. */
  tokenExpiresAtMs?: number;
  /** It was told that this is soon. */
  isToldOfExpiry?: boolean;
  /** Where this dashboard wants to go on from. */
  lastCursor?: string;
  /** It asked for events of a short window together. */
  isBatched?: boolean;
  /** Of which it hears everything that its user may see. */
  organizationIds?: readonly string[];
  /** Sends the events that wait to be sent together: what follows them comes later. Only where it asked for that. */
  flush?: () => void;
  /** When it joined each of its rooms last, by `performance.now()`. */
  joinedAt?: Map<Room, number>;
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

/** Two kinds of rooms never collide. */
export type Room = FeedRoom | `session:${string}`;

/** The sockets of this process that are in any of `rooms`, but those in `except`. */
export interface Recipients {
  readonly rooms: readonly Room[];
  readonly except?: readonly DashboardSocket[];
}

/** Emits to each of the recipients once; the message is encoded once for all of them. No rooms means no socket. */
export function emitLocally<E extends keyof DashboardEvents>(
  server: DashboardServer,
  { rooms, except = [] }: Recipients,
  event: E,
  ...message: Parameters<DashboardEvents[E]>
): void {
  if (rooms.length > 0) {
    // Each socket is alone in the room that has its id.
    (server as Io).local
      .to([...rooms])
      .except(except.map(({ id }) => id))
      .emit(event, ...message);
  }
}

/** Emits to these sockets, none where there are none; the message is encoded once for all of them. */
export function emitToEach<E extends keyof DashboardEvents>(
  server: DashboardServer,
  sockets: readonly DashboardSocket[],
  event: E,
  ...message: Parameters<DashboardEvents[E]>
): void {
  if (sockets.length > 0) {
    (server as Io).local.to(sockets.map(({ id }) => id)).emit(event, ...message);
  }
}

/** Emits to one socket, behind everything that it was to be sent before. */
export function emitTo<E extends keyof DashboardEvents>(
  socket: DashboardSocket,
  event: E,
  ...message: Parameters<DashboardEvents[E]>
): void {
  socket.data.flush?.();
  socket.emit(event, ...message);
}

/** Tells every dashboard of this process to read the state again. Nothing that is about one person goes to all of them. */
export function resyncAll(server: DashboardServer, cursor: string): void {
  allSockets(server).forEach(({ data }) => data.flush?.());
  (server as Io).local.emit('resync', { cursor });
}

/**
 * What went wrong, as sockets are told. An answer is not larger than a few kilobytes, whatever it was asked.
 * @param publicUrl of the installation, which explains the problem
 */
export function socketProblemOf(error: unknown, publicUrl: string): SocketProblem {
  const { errors = [], ...problem } = problemOf(error);
  // For HTTP, where it is in a header.
  delete problem.challenge;
  const told = fitting(errors);
  return { type: problemsUrl(publicUrl) + problem.code, ...problem, ...(told.length > 0 ? { errors: told } : {}) };
}

/**
 * The same, of a handshake that is refused or a connection that ends. Many hear it at one moment, and each is told another one
 * to come back.
 */
export function connectionProblemOf(error: unknown, publicUrl: string): SocketProblem {
  const problem = socketProblemOf(error, publicUrl);
  const isSpread = error instanceof HandshakesBusyError || error instanceof ShuttingDownError;
  return problem.status === SERVICE_UNAVAILABLE && !isSpread
    ? { ...problem, retryAfter: secondsBetween(...BACK_WITHIN_S) }
    : problem;
}

/** The faults that fit into an answer: a body can have thousands of members, or one with an endless name. */
function fitting(errors: readonly FieldError[]): FieldError[] {
  let left = MAX_FAULTS_LENGTH;
  return errors.filter((fault) => {
    const { length } = JSON.stringify(fault);
    const fits = length <= left;
    left -= fits ? length : 0;
    return fits;
  });
}

/**
 * What is told of a request that was sent without an acknowledgement. Null beyond the limit of messages: what is not counted
 * is not answered, unless its client waits for it.
 */
export function refusedRequest(request: string, error: unknown, publicUrl: string): RefusedRequest | null {
  const problem = socketProblemOf(error, publicUrl);
  return problem.status === TOO_MANY ? null : { request: request.slice(0, MAX_NAME_LENGTH), ...problem };
}

/** Ends the connection after a last message that says why. Its client connects again by itself. */
export function closeWith(socket: DashboardSocket, problem: SocketProblem): void {
  emitTo(socket, 'closing', problem);
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

/** The sockets of this process that are in any of `rooms`, once each. */
export function socketsIn(server: DashboardServer, rooms: readonly Room[]): DashboardSocket[] {
  const namespace = (server as Io).of('/');
  const ids = new Set(rooms.flatMap((room) => [...(namespace.adapter.rooms.get(room) ?? [])]));
  return [...ids].flatMap((id) => namespace.sockets.get(id) ?? []);
}

/** Puts a socket into rooms, at once. */
export function joinRooms(socket: DashboardSocket, rooms: readonly Room[]): void {
  const now = performance.now();
  const joinedAt = (socket.data.joinedAt ??= new Map());
  rooms.forEach((room) => joinedAt.set(room, now));
  // With the adapter of one process, this is done when it returns.
  inBackground(() => Promise.resolve(socket.join([...rooms])));
}

/**
 * Takes a socket out of rooms, at once: not out of one that it has joined since that was decided, which may undo what the
 * decision rests on.
 * @param decidedAt by `performance.now()`
 */
export function leaveRooms(socket: DashboardSocket, rooms: readonly Room[], decidedAt = Infinity): void {
  const { joinedAt } = socket.data;
  for (const room of rooms.filter((each) => (joinedAt?.get(each) ?? 0) < decidedAt)) {
    joinedAt?.delete(room);
    inBackground(() => Promise.resolve(socket.leave(room)));
  }
}

import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import type { SessionEnd } from '../../../contracts/sessions.js';
import { Authenticator } from '../../../platform/auth/authenticator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { SessionVerifier } from '../../../platform/auth/session-verifier.js';
import { ReadinessRegistry } from '../../../platform/health/readiness-registry.js';
import { runInContext } from '../../../platform/context/request-context.js';
import { clientAddressReader } from '../../../platform/http/client-address.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import { liveRefusals } from '../../../platform/realtime/live-refusals.js';
import {
  BACK_AFTER_STOP_S,
  ShuttingDownError,
  TooManyConnectionsError,
} from '../../../platform/realtime/socket.errors.js';
import { contextOf } from '../../../platform/realtime/socket-context.js';
import {
  allSockets,
  closeWith,
  type DashboardServer,
  type DashboardSocket,
  disconnectLocally,
  emitLocally,
  emitTo,
  type Room,
  socketProblemOf,
  socketsIn,
} from '../../../platform/realtime/sockets.js';
import { secondsBetween } from '../../../platform/scheduling/jitter.js';
import { FeedScopeService } from '../../history/feed/feed-scope.service.js';
import type { DashboardHandshakeDto } from '../dashboard-handshake.dto.js';
import { principalOf } from './dashboard-principal.js';

/** Connections of one person to one process, times the scale of all limits. */
const MAX_OF_PERSON = 100;

/** A person, and until when that is known. */
interface Identified {
  readonly principal: Principal;
  readonly expiresAtMs: number;
}

/** Authenticates dashboards, and ends them with their sessions. */
@Injectable()
export class RealtimeService {
  readonly refused;
  readonly #connected;
  /** The connections of each person, from the handshake on. */
  readonly #ofPerson = new Map<string, number>();
  readonly #maxOfPerson: number;
  readonly #addressOf;

  constructor(
    private readonly authenticator: Authenticator,
    private readonly sessions: SessionVerifier,
    private readonly scopes: FeedScopeService,
    private readonly readiness: ReadinessRegistry,
    private readonly config: AppConfig,
    metrics: Metrics,
  ) {
    this.#addressOf = clientAddressReader(config.http);
    this.#maxOfPerson = MAX_OF_PERSON * config.rateLimitScale;
    this.refused = liveRefusals(metrics);
    this.#connected = metrics.gauge('mortise_dashboard_sockets', 'Dashboards connected to this process');
  }

  /** It keeps the connections that there are, and lets in no more. */
  get isStopping(): boolean {
    return this.readiness.draining;
  }

  /** Ends a connection because its process stops. Those that come back do not all come at one moment. */
  closeAsStopping(socket: DashboardSocket): void {
    const problem = new ShuttingDownError(secondsBetween(...BACK_AFTER_STOP_S));
    closeWith(socket, socketProblemOf(problem, this.config.http.publicUrl));
  }

  /**
   * Who connects.
   * @throws TokenExpiredError, TokenInvalidError, SessionEndedError
   */
  authenticate(token: string): Promise<Identified> {
    return this.authenticator.admit(token);
  }

  /**
   * Gives a person another connection, which follows their devices.
   * @throws TooManyConnectionsError
   */
  async admit(
    socket: DashboardSocket,
    { principal, expiresAtMs }: Identified,
    handshake: DashboardHandshakeDto,
  ): Promise<void> {
    this.takePlace(socket, principal.userId);
    socket.data.principal = principal;
    socket.data.tokenExpiresAtMs = expiresAtMs;
    const context = contextOf(socket, this.#addressOf);
    const scope = await runInContext(context, () => this.scopes.scopeOf(principal));
    socket.data.organizationIds = scope.organizationIds;
    socket.data.isBatched = handshake.batch ?? false;
    if (typeof handshake.lastCursor === 'string') {
      socket.data.lastCursor = handshake.lastCursor;
    }
  }

  /** Joins the room of its session. A session that ended during the handshake ends the socket here. */
  async joinSession(socket: DashboardSocket): Promise<void> {
    const { sessionId } = principalOf(socket);
    this.#connected.inc();
    socket.once('disconnect', () => {
      this.#connected.dec();
    });
    await socket.join(`session:${sessionId}` satisfies Room);
    const end = await this.sessions.endOf(sessionId);
    if (end !== null) {
      emitTo(socket, 'session_ended', { reason: end });
      socket.disconnect(true);
    }
  }

  /** In the turn in which it is asked for, so that those who come at once do not all find the last one free. */
  private takePlace({ conn }: DashboardSocket, userId: string): void {
    if ((this.#ofPerson.get(userId) ?? 0) >= this.#maxOfPerson) {
      this.refused('connections');
      throw new TooManyConnectionsError(this.#maxOfPerson);
    }
    // A connection that is over would not give it back.
    if (conn.readyState === 'open') {
      this.count(userId, 1);
      conn.once('close', () => {
        this.count(userId, -1);
      });
    }
  }

  private count(userId: string, change: 1 | -1): void {
    const sockets = (this.#ofPerson.get(userId) ?? 0) + change;
    if (sockets > 0) {
      this.#ofPerson.set(userId, sockets);
    } else {
      this.#ofPerson.delete(userId);
    }
  }

  /** Ends every socket of a session in this process, after a message with the reason. */
  endSession(server: DashboardServer, sessionId: string, reason: SessionEnd): void {
    const room: Room = `session:${sessionId}`;
    socketsIn(server, [room]).forEach(({ data }) => data.flush?.());
    emitLocally(server, { rooms: [room] }, 'session_ended', { reason });
    disconnectLocally(server, room);
  }

  /** Ends the sockets of sessions that have ended, in case the signal was lost. */
  async endDeadSessions(server: DashboardServer): Promise<void> {
    const sessionIds = new Set(allSockets(server).map((socket) => socket.data.principal?.sessionId));
    for (const sessionId of sessionIds) {
      const end = sessionId === undefined ? null : await this.sessions.endOf(sessionId);
      if (sessionId !== undefined && end !== null) {
        this.endSession(server, sessionId, end);
      }
    }
  }
}

import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import type { SessionEnd } from '../../../contracts/sessions.js';
import { AuditReadWriter } from '../../../platform/audit/audit-read-writer.js';
import { ResourceNotFoundError } from '../../../platform/auth/auth.errors.js';
import { Authenticator } from '../../../platform/auth/authenticator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { SessionVerifier } from '../../../platform/auth/session-verifier.js';
import { newContext, type RequestContext, runInContext } from '../../../platform/context/request-context.js';
import { clientAddressReader } from '../../../platform/http/client-address.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import {
  allSockets,
  type DashboardServer,
  type DashboardSocket,
  disconnectLocally,
  emitLocally,
  type Room,
} from '../../../platform/realtime/sockets.js';
import { DeviceAccessService } from '../../sharing/access/device-access.service.js';
import { MembershipsService } from '../../organizations/memberships.service.js';
import type { DashboardHandshakeDto } from '../realtime.dto.js';
import { TooManySubscriptionsError } from '../realtime.errors.js';
import { principalOf } from './dashboard-principal.js';

const MAX_SUBSCRIPTIONS = 500;

/** Authenticates dashboards, and manages their subscriptions and the end of their sessions. */
@Injectable()
export class RealtimeService {
  readonly #connected;
  readonly #addressOf;

  constructor(
    private readonly authenticator: Authenticator,
    private readonly sessions: SessionVerifier,
    private readonly access: DeviceAccessService,
    private readonly memberships: MembershipsService,
    private readonly reads: AuditReadWriter,
    config: AppConfig,
    metrics: Metrics,
  ) {
    this.#addressOf = clientAddressReader(config.http);
    this.#connected = metrics.gauge('mortise_dashboard_sockets', 'Dashboards connected to this process');
  }

  /**
   * Who connects, and whose devices they follow.
   * @throws TokenExpiredError, TokenInvalidError, SessionEndedError
   */
  async authenticate(socket: DashboardSocket, handshake: DashboardHandshakeDto): Promise<Principal> {
    const principal = await this.authenticator.authenticate(handshake.token);
    socket.data.principal = principal;
    socket.data.organizationIds = await this.memberships.organizationsOf(principal.userId);
    await runInContext(this.contextOf(socket), () => this.recordOrganizations(socket.data.organizationIds ?? []));
    if (typeof handshake.lastCursor === 'string') {
      socket.data.lastCursor = handshake.lastCursor;
    }
    return principal;
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
      socket.emit('session_ended', { reason: end });
      socket.disconnect(true);
    }
  }

  /** Adds the events of a device that another user owns; those of the user's own devices need no subscription. */
  async subscribe(socket: DashboardSocket, deviceId: string): Promise<void> {
    const device = await this.access.resolve(principalOf(socket).userId, deviceId);
    if (!device) {
      throw new ResourceNotFoundError('device');
    }
    const room: Room = `device:${device.id}`;
    if (!socket.rooms.has(room) && subscriptionsOf(socket) >= MAX_SUBSCRIPTIONS) {
      throw new TooManySubscriptionsError(MAX_SUBSCRIPTIONS);
    }
    if (!device.owned) {
      await runInContext(this.contextOf(socket), () =>
        this.reads.record('device_watched', { type: 'device', id: device.id }),
      );
    }
    await socket.join(room);
  }

  async unsubscribe(socket: DashboardSocket, deviceId: string): Promise<void> {
    await socket.leave(`device:${deviceId}` satisfies Room);
  }

  private async recordOrganizations(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      await this.reads.record('organization_watched', { type: 'organization', id });
    }
  }

  /** A message of a socket has no request: who sent it, in which session, and from where. */
  private contextOf(socket: DashboardSocket): RequestContext {
    const { userId, sessionId } = principalOf(socket);
    const userAgent = socket.handshake.headers['user-agent'];
    return {
      ...newContext('websocket', `user:${userId}`, {
        address: this.#addressOf(socket.request),
        ...(userAgent === undefined ? {} : { userAgent }),
      }),
      sessionId,
    };
  }

  /** Ends every socket of a session in this process, after a message with the reason. */
  endSession(server: DashboardServer, sessionId: string, reason: SessionEnd): void {
    const room: Room = `session:${sessionId}`;
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

/** A socket is in the rooms of its person and session, too. */
function subscriptionsOf(socket: DashboardSocket): number {
  return [...socket.rooms].filter((room) => room.startsWith('device:')).length;
}

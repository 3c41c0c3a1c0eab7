import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../../config/app-config.js';
import type { RequestAnswers } from '../../../contracts/realtime.js';
import { TokenExpiredError } from '../../../platform/auth/auth.errors.js';
import { Authenticator } from '../../../platform/auth/authenticator.js';
import {
  allSockets,
  closeWith,
  type DashboardServer,
  type DashboardSocket,
  emitTo,
  joinRooms,
  leaveRooms,
  socketProblemOf,
} from '../../../platform/realtime/sockets.js';
import { type BackgroundLoop, type StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { OtherSessionError } from '../realtime.errors.js';
import { principalOf } from './dashboard-principal.js';

/** Before its token expires, a client is told so: time enough to refresh the session, and to try that again. */
const TOLD_BEFORE_MS = 60_000;
/** So long a connection goes on without a token that counts, for a client whose refresh takes its time. */
const GRACE_MS = 30_000;
const SWEEP_MS = 5_000;

/** The access tokens of open connections: each is as good as its token, and a fresh one of the same session takes its place. */
@Injectable()
export class DashboardTokensService {
  #server: DashboardServer | null = null;
  readonly #loop: BackgroundLoop;

  constructor(
    private readonly authenticator: Authenticator,
    private readonly config: AppConfig,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    logger.setContext(DashboardTokensService.name);
    this.#loop = loops.create('socket_tokens', () => this.sweepAll(), {
      idleFromMs: SWEEP_MS,
      idleMs: SWEEP_MS,
      retryMs: SWEEP_MS,
      onError: (error) => {
        logger.warn({ err: error }, 'The tokens of dashboards could not be looked at');
      },
    });
  }

  start(server: DashboardServer): void {
    this.#server = server;
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /**
   * Takes a fresh token. What its role gives or takes holds from now on.
   * @throws TokenExpiredError, TokenInvalidError, SessionEndedError as a handshake; OtherSessionError
   */
  async refresh(socket: DashboardSocket, token: string): Promise<RequestAnswers['refresh_token']> {
    const current = principalOf(socket);
    const { principal, expiresAtMs } = await this.authenticator.admit(token, { certain: true });
    if (principal.userId !== current.userId || principal.sessionId !== current.sessionId) {
      throw new OtherSessionError();
    }
    const { data } = socket;
    // Of two that are on their way, the later one counts.
    if (expiresAtMs >= (data.tokenExpiresAtMs ?? 0)) {
      data.principal = principal;
      data.tokenExpiresAtMs = expiresAtMs;
      data.isToldOfExpiry = false;
      if (principal.role === 'ADMIN') {
        joinRooms(socket, ['role:ADMIN']);
      } else {
        leaveRooms(socket, ['role:ADMIN']);
      }
    }
    return { expiresAt: new Date(data.tokenExpiresAtMs ?? expiresAtMs).toISOString() };
  }

  /** Tells connections whose token expires soon, and ends those whose token has expired. */
  sweep(now = Date.now()): void {
    for (const socket of allSockets(this.#server)) {
      const { tokenExpiresAtMs, isToldOfExpiry } = socket.data;
      if (tokenExpiresAtMs === undefined) {
        continue;
      }
      if (now >= tokenExpiresAtMs + GRACE_MS) {
        closeWith(socket, socketProblemOf(new TokenExpiredError(), this.config.http.publicUrl));
      } else if (!isToldOfExpiry && now >= tokenExpiresAtMs - TOLD_BEFORE_MS) {
        socket.data.isToldOfExpiry = true;
        emitTo(socket, 'token_expiring', { expiresAt: new Date(tokenExpiresAtMs).toISOString() });
      }
    }
  }

  private sweepAll(): Promise<StepOutcome> {
    this.sweep();
    return Promise.resolve('idle');
  }
}

import { type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type OnGatewayConnection, type OnGatewayInit, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../../config/app-config.js';
import type { DeviceHandshake } from '../../../contracts/device-sockets.js';
import { DASHBOARD_REQUESTS, type SocketAck, type SocketProblem } from '../../../contracts/realtime.js';
import { AdmissionLimiter, OverloadedError } from '../../../platform/http/admission/admission-limiter.js';
import { problemOf } from '../../../platform/http/problems/problem.js';
import { validated } from '../../../platform/http/validation/validation.js';
import { inBackground } from '../../../platform/process/faults.js';
import { HandshakeLimiter, HandshakesBusyError } from '../../../platform/realtime/handshake-limiter.js';
import { SocketMessageLimiter } from '../../../platform/realtime/socket-message-limiter.js';
import { SocketRateLimiter } from '../../../platform/rate-limit/socket-rate-limiter.js';
import {
  TooManyMessagesError,
  UnknownEventError,
  WrongClientTypeError,
} from '../../../platform/realtime/socket.errors.js';
import {
  allSockets,
  closeWith,
  connectionProblemOf,
  type DashboardServer,
  type DashboardSocket,
  refusedRequest,
  socketProblemOf,
} from '../../../platform/realtime/sockets.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { type BackgroundLoop, type StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { closestName } from '../../../shared/closest-name.js';
import { within } from '../../../shared/deadline.js';
import { principalOf } from './dashboard-principal.js';
import { DashboardPublisher } from './dashboard-publisher.js';
import { DashboardHandshakeDto } from '../dashboard-handshake.dto.js';
import { RealtimeService } from './realtime.service.js';

const SERVICE_UNAVAILABLE = 503;
const SESSION_CHECK_MS = 25_000;
/** It asks for one session after another. */
const SESSION_CHECK_WITHIN_MS = 60_000;

interface IdentifiedHandshake {
  readonly handshake: DashboardHandshakeDto;
  readonly known: Awaited<ReturnType<RealtimeService['authenticate']>>;
}

/** Sockets of dashboards. Guards do not run on a connection, so a middleware checks the handshake. */
@WebSocketGateway()
export class RealtimeGateway implements OnGatewayInit, OnGatewayConnection, OnApplicationBootstrap, OnModuleDestroy {
  @WebSocketServer() private readonly server!: DashboardServer;
  readonly #sessionCheck: BackgroundLoop;
  readonly #handshakes = new HandshakeLimiter();

  constructor(
    private readonly realtime: RealtimeService,
    private readonly feed: DashboardPublisher,
    private readonly signals: SignalBus,
    private readonly limiter: SocketRateLimiter,
    private readonly admission: AdmissionLimiter,
    private readonly config: AppConfig,
    loops: LoopRegistry,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(RealtimeGateway.name);
    this.#sessionCheck = loops.create('socket_sessions', () => this.endDeadSessions(), {
      idleFromMs: SESSION_CHECK_MS,
      idleMs: SESSION_CHECK_MS,
      retryMs: SESSION_CHECK_MS,
      deadlineMs: SESSION_CHECK_WITHIN_MS,
      onError: (error, failures) => {
        logger[failures === 1 ? 'warn' : 'debug']({ err: error }, 'The sessions of dashboards could not be checked');
      },
    });
  }

  afterInit(server: DashboardServer): void {
    server.use((socket, next) => {
      this.authenticate(socket).then(() => {
        next();
      }, next);
    });
  }

  onApplicationBootstrap(): void {
    this.feed.start(this.server);
    this.signals.on('session_revoked', ({ sessionId, reason }) => {
      this.realtime.endSession(this.server, sessionId, reason);
    });
    this.#sessionCheck.start();
  }

  /** The balancer sends no new connections here by now: those that end connect to another process. */
  async onModuleDestroy(): Promise<void> {
    await this.#sessionCheck.stop();
    for (const socket of allSockets(this.server)) {
      this.realtime.closeAsStopping(socket);
    }
  }

  /** It never rejects, because the framework awaits no answer: a rejection would end the process. */
  async handleConnection(socket: DashboardSocket): Promise<void> {
    if (this.realtime.isStopping) {
      // In some seconds it would have to catch up again, elsewhere. Refused before, Socket.IO would not come back by itself.
      this.realtime.closeAsStopping(socket);
      return;
    }
    this.answerUnknown(socket);
    try {
      // Its rooms come first and at once: the client reads the state as soon as it hears that it is connected.
      await Promise.all([
        this.feed.join(socket),
        within(this.config.http.requestTimeoutMs, this.realtime.joinSession(socket)),
      ]);
    } catch (error) {
      // The database cannot say whether the session stands.
      this.logger.warn({ err: error }, 'A dashboard could not be connected');
      closeWith(socket, connectionProblemOf(error, this.config.http.publicUrl));
    }
  }

  /** Answers what is no request of ours. It counts like one: what goes on beyond the limit is told no more than that. */
  private answerUnknown(socket: DashboardSocket): void {
    const messages = new SocketMessageLimiter(this.config.rateLimitScale, performance.now());
    let verdict: ReturnType<SocketMessageLimiter['take']> = 'admitted';
    // After the listener below, which hears every message first, and at once.
    socket.use((_message, next) => {
      if (verdict === 'admitted') {
        next();
      }
    });
    // A name may be a number: the protocol of Socket.IO allows it.
    socket.onAny((name: string | number, ...body: unknown[]) => {
      verdict = messages.take(performance.now());
      if (verdict !== 'admitted') {
        this.refuseFlood(socket, verdict, messages, body.at(-1));
      } else if (!Object.hasOwn(DASHBOARD_REQUESTS, name)) {
        inBackground(() => this.refuseUnknown(socket, String(name), body.at(-1)));
      }
    });
  }

  /** Beyond its own limit, a socket costs no question to Redis: who waits for an answer gets one, until the connection is cut. */
  private refuseFlood(
    socket: DashboardSocket,
    verdict: 'refused' | 'cut',
    limit: SocketMessageLimiter,
    ack: unknown,
  ): void {
    this.realtime.refused('messages');
    const problem = this.problemOf(new TooManyMessagesError(limit));
    if (verdict === 'cut') {
      closeWith(socket, problem);
    } else if (typeof ack === 'function') {
      (ack as (answer: SocketAck) => void)({ error: problem });
    }
  }

  /** @throws RateLimitedError, OverloadedError */
  private async verdictOnUnknown(socket: DashboardSocket, name: string): Promise<UnknownEventError> {
    await this.limiter.countPerson(principalOf(socket).userId);
    this.admission.admit('read');
    return new UnknownEventError(closestName(name, Object.keys(DASHBOARD_REQUESTS)));
  }

  private async refuseUnknown(socket: DashboardSocket, name: string, ack: unknown): Promise<void> {
    const error = await this.verdictOnUnknown(socket, name).catch((refusal: unknown) => refusal);
    if (typeof ack === 'function') {
      (ack as (answer: SocketAck) => void)({ error: this.problemOf(error) });
      return;
    }
    const problem = refusedRequest(name, error, this.config.http.publicUrl);
    if (problem) {
      socket.emit('problem', problem);
    }
  }

  private async endDeadSessions(): Promise<StepOutcome> {
    await this.realtime.endDeadSessions(this.server);
    return 'idle';
  }

  /** A refusal reaches the client as `connect_error` with the problem as its `data`; then the connection is closed. */
  private async authenticate(socket: DashboardSocket): Promise<void> {
    this.limiter.hold(socket.conn);
    try {
      this.admission.admit('read');
      await this.#handshakes.run(this.limiter.addressOf(socket.request), async () => {
        // Its client may have left while it waited.
        if (socket.conn.readyState === 'open') {
          await within(this.config.http.requestTimeoutMs, this.admit(socket));
        }
      });
      this.limiter.settle(socket.conn);
    } catch (error) {
      if (error instanceof HandshakesBusyError) {
        this.realtime.refused('handshakes');
      }
      const refusal = error instanceof OverloadedError ? this.#handshakes.busy() : error;
      const problem = connectionProblemOf(refusal, this.config.http.publicUrl);
      this.limiter.release(socket.conn);
      // Once the refusal is sent: the next attempt costs a connection.
      setImmediate(() => {
        socket.conn.close();
      });
      throw Object.assign(new Error(problem.code), { data: problem });
    }
  }

  private problemOf(error: unknown): SocketProblem {
    return socketProblemOf(error, this.config.http.publicUrl);
  }

  /** A person who is known counts, whatever comes of it; all others count as strangers. */
  private async admit(socket: DashboardSocket): Promise<void> {
    const { known, handshake } = await this.identify(socket);
    await this.limiter.countPerson(known.principal.userId);
    await this.realtime.admit(socket, known, handshake);
  }

  private async identify({ handshake: { auth }, request }: DashboardSocket): Promise<IdentifiedHandshake> {
    try {
      if (auth.clientType === ('device' satisfies DeviceHandshake['clientType'])) {
        throw new WrongClientTypeError('dashboard');
      }
      const handshake = await validated(DashboardHandshakeDto, auth);
      return { handshake, known: await this.realtime.authenticate(handshake.token) };
    } catch (error) {
      // While the database is away there is no verdict, and a person whose token is good is no stranger.
      if (problemOf(error).status !== SERVICE_UNAVAILABLE) {
        await this.limiter.countStranger(request);
      }
      throw error;
    }
  }
}

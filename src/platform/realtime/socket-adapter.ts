import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Server, ServerOptions, Socket as IoSocket } from 'socket.io';
import { AppConfig } from '../../config/app-config.js';
import { DEVICE_SOCKET_PATH } from '../../contracts/device-sockets.js';
import { chosenFrom, listedIn } from '../http/cors.js';
import { inBackground } from '../process/faults.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { SocketRateLimiter } from '../rate-limit/socket-rate-limiter.js';
import { FrameLimiter } from './frame-limiter.js';
import { OriginNotAllowedError } from './socket.errors.js';
import { mayConnectFrom, refuseHandshake } from './socket-origin.js';
import { type DashboardSocket, socketProblemOf } from './sockets.js';
import { type UnreadConnection, UnreadLimiter } from './unread-limiter.js';

const MAX_MESSAGE_BYTES = 64 * 1024;

interface Packet {
  readonly data?: string | Uint8Array;
}

interface Transport {
  readonly writable: boolean;
  /** Of WebSocket, the one that can be ended without the consent of the other side; `_socket` is that of TCP. */
  readonly socket?: {
    readonly _socket?: Socket | null;
    terminate?: () => void;
    on?: (event: 'ping' | 'pong', listener: (data: Uint8Array) => void) => void;
  };
}

/** A connection of Engine.IO, as far as it is used here. */
interface Connection extends UnreadConnection {
  readonly request: IncomingMessage;
  readonly readyState: string;
  readonly transport: Transport;
  close(discard: boolean): void;
  on(event: 'packetCreate' | 'packet', listener: (packet: Packet) => void): void;
  on(event: 'upgrade', listener: (transport: Transport) => void): void;
  on(event: 'flush' | 'close', listener: () => void): void;
}

/** The server of all connections, as far as it is used here. */
interface Engine {
  on(event: 'flush' | 'drain', listener: (connection: Connection) => void): void;
}

type CutReason = 'frames' | 'handshakes' | 'unread';

const CUT_HELP =
  'Sockets that were cut, by what their client did: unread (it reads too slowly), frames (it sent more than any client does) or handshakes (it sent a second one)';

/** The packet with which a client signs in to the one namespace that there is. */
const HANDSHAKE = /^0(?!\/[^,])/;

/** What a handler answers a message with: an acknowledgement, or an event of its own. */
type Answer = { readonly event?: string; readonly data?: unknown } | null | undefined;

interface Payload {
  readonly data: unknown;
  readonly ack?: (answer: unknown) => void;
}

/** Socket.IO with our limits. WebSocket first; compression per message costs more memory than it saves traffic. */
export class SocketAdapter extends IoAdapter {
  readonly #limiter: SocketRateLimiter;
  readonly #scale: number;
  readonly #unread: UnreadLimiter;
  readonly #cut: Counter<'reason'>;

  /** @param origins whose pages may connect, besides those of the installation itself */
  constructor(
    app: INestApplicationContext,
    private readonly origins: readonly string[],
    private readonly publicUrl: string,
  ) {
    super(app);
    this.#limiter = app.get(SocketRateLimiter);
    this.#scale = app.get(AppConfig).rateLimitScale;
    this.#unread = new UnreadLimiter(this.#scale);
    this.#cut = app.get(Metrics).counter('mortise_sockets_cut_total', CUT_HELP, ['reason']);
  }

  override createIOServer(port: number, options: Partial<ServerOptions> = {}): Server {
    const server: Server = super.createIOServer(port, {
      transports: ['websocket', 'polling'],
      maxHttpBufferSize: MAX_MESSAGE_BYTES,
      ...options,
      perMessageDeflate: false,
      connectTimeout: 10_000,
      pingInterval: 20_000,
      pingTimeout: 20_000,
      serveClient: false,
      // Devices are no pages, and their libraries make up an origin. Their token is theirs alone.
      ...(options.path !== DEVICE_SOCKET_PATH && { allowRequest: this.allowOrigin() }),
      ...(this.origins.length > 0 && { cors: { origin: chosenFrom(this.origins), credentials: true } }),
    } as ServerOptions);
    writeTogether(server.engine);
    // A device that has signed in is read no faster than it may send: its gateway paces it.
    const paced = new WeakSet<object>();
    server.engine.on('connection', (connection: Connection) => {
      this.limit(connection);
      this.limitFrames(connection, () => !paced.has(connection));
    });
    server.on('connection', (socket) => {
      if (options.path === DEVICE_SOCKET_PATH) {
        paced.add(socket.conn);
      }
      this.assign(socket);
      forgetToken(socket);
      endWithItsSocket(socket);
    });
    return server;
  }

  /** CORS does not hold for WebSocket: a browser lets any page open one, and tells which page it is. */
  private allowOrigin(): NonNullable<ServerOptions['allowRequest']> {
    const isListed = listedIn(this.origins);
    return (request, answer) => {
      if (mayConnectFrom(request, isListed, this.publicUrl)) {
        answer(null, true);
      } else {
        refuseHandshake(request, '403 Forbidden', socketProblemOf(new OriginNotAllowedError(), this.publicUrl));
      }
    };
  }

  /**
   * One listener for each message, where the framework's own adapter keeps a stream with all its operators: they were a sixth of
   * what a connection costs in memory.
   */
  override bindMessageHandlers(...[socket, handlers, transform]: Parameters<IoAdapter['bindMessageHandlers']>): void {
    for (const { message, callback, isAckHandledManually } of handlers) {
      socket.on(message, (...body: unknown[]) => {
        inBackground(async () => {
          const { data, ack } = this.mapPayload(body.length > 1 ? body : body[0]) as Payload;
          await transform(callback(data, ack)).forEach((answer: Answer) => {
            if (answer?.event !== undefined) {
              socket.emit(answer.event, answer.data);
            } else if (answer && ack && !isAckHandledManually) {
              ack(answer);
            }
          });
        });
      });
    }
  }

  private limit(connection: Connection): void {
    this.#limiter.open(connection, () => {
      terminate(connection);
    });
    connection.on('close', () => {
      this.#limiter.settle(connection);
      this.#unread.forget(connection);
    });
    this.#unread.watch(connection, () => {
      this.cut(connection, 'unread');
    });
  }

  /** What a dashboard does not read counts among that of its person. Devices have a smaller limit of their own. */
  private assign({ conn, data }: DashboardSocket): void {
    if (data.principal) {
      this.#unread.assign(conn, data.principal.userId);
    }
  }

  /** Cuts who sends more than any client does, signed in or not: the limit of messages sees nothing but events. */
  private limitFrames(connection: Connection, isLimited: () => boolean): void {
    const frames = new FrameLimiter(this.#scale, performance.now());
    const count = (data: Packet['data']): void => {
      if (isLimited() && !frames.take(data?.length ?? 0, performance.now())) {
        this.cut(connection, 'frames');
      }
    };
    let hasHandshake = false;
    connection.on('packet', ({ data }) => {
      count(data);
      if (typeof data === 'string' && HANDSHAKE.test(data)) {
        // A refused one ends its connection, so that no client has reason for another: thousands fit into one read.
        if (hasHandshake) {
          this.cut(connection, 'handshakes');
        }
        hasHandshake = true;
      }
    });
    // Those of WebSocket itself, of which each is answered.
    const countControls = ({ socket }: Transport): void => {
      socket?.on?.('ping', count);
      socket?.on?.('pong', count);
    };
    if (connection.transport.socket) {
      countControls(connection.transport);
    } else {
      connection.on('upgrade', countControls);
    }
  }

  private cut(connection: Connection, reason: CutReason): void {
    // What has arrived with the frame that was too much is still read.
    if (connection.readyState !== 'closed') {
      this.#cut.inc({ reason });
      terminate(connection);
    }
  }
}

/**
 * What waited for a WebSocket leaves in one write, not in one for each message: most when its client catches up. Both events come
 * from one function of Engine.IO, which hands the packets to the transport in between. Polling has one answer for them anyway.
 */
function writeTogether(engine: Engine): void {
  engine.on('flush', ({ transport }) => {
    transport.socket?._socket?.cork();
  });
  engine.on('drain', ({ transport }) => {
    transport.socket?._socket?.uncork();
  });
}

/** It was looked at, and is a kilobyte of each connection. */
function forgetToken(socket: IoSocket): void {
  socket.handshake.auth = {};
}

/** There is one namespace: a client that leaves it could keep its connection, which nothing counts and nothing ends. */
function endWithItsSocket(socket: IoSocket): void {
  socket.once('disconnect', () => {
    socket.conn.close();
  });
}

/** Without waiting for the client to agree. */
function terminate(connection: Connection): void {
  connection.close(true);
  connection.transport.socket?.terminate?.();
}

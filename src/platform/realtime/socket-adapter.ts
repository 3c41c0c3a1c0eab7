import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Server, ServerOptions } from 'socket.io';
import { SocketRateLimiter } from '../rate-limit/socket-rate-limiter.js';

const MAX_MESSAGE_BYTES = 64 * 1024;

/** Socket.IO with our limits. WebSocket first; compression per message costs more memory than it saves traffic. */
export class SocketAdapter extends IoAdapter {
  readonly #limiter: SocketRateLimiter;

  /** @param origins whose pages may connect by polling; a page that connects otherwise still needs a token in hand. */
  constructor(
    app: INestApplicationContext,
    private readonly origins: readonly string[],
  ) {
    super(app);
    this.#limiter = app.get(SocketRateLimiter);
  }

  override createIOServer(port: number, options: Partial<ServerOptions> = {}): Server {
    return super.createIOServer(port, {
      ...options,
      transports: ['websocket', 'polling'],
      maxHttpBufferSize: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      connectTimeout: 10_000,
      pingInterval: 20_000,
      pingTimeout: 20_000,
      serveClient: false,
      allowRequest: (request, answer) => {
        const blocked = this.#limiter.isBlocked(request);
        answer(blocked ? 'address_blocked' : undefined, !blocked);
      },
      ...(this.origins.length > 0 && { cors: { origin: [...this.origins], credentials: true } }),
    } as ServerOptions);
  }
}

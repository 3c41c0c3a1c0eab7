import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Server, ServerOptions } from 'socket.io';

const MAX_MESSAGE_BYTES = 64 * 1024;

/** Socket.IO with our limits. WebSocket first; compression per message costs more memory than it saves traffic. */
export class SocketAdapter extends IoAdapter {
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
    } as ServerOptions);
  }
}

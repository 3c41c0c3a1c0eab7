import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A server of TCP that does to each connection what the test says, and counts them before a byte is read. */
export class TcpServer {
  connections = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(onConnection: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#open.delete(socket));
      onConnection(socket);
    });
  }

  static async start(host: string, onConnection: (socket: Socket) => void = () => undefined): Promise<TcpServer> {
    const server = new TcpServer(onConnection);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject).listen({ port: 0, host }, resolve);
    });
    return server;
  }

  /** One that does `answer` when the head of a request has come. */
  static answering(host: string, answer: (socket: Socket, head: string) => void): Promise<TcpServer> {
    return TcpServer.start(host, (socket) => {
      socket.on('data', (chunk) => {
        answer(socket, chunk.toString('latin1'));
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections are open now. */
  get open(): number {
    return this.#open.size;
  }

  async close(): Promise<void> {
    this.#open.forEach((socket) => socket.destroy());
    await new Promise<void>((resolve) =>
      this.#server.close(() => {
        resolve();
      }),
    );
  }
}

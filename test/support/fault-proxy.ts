import { createServer, connect, type Server, type Socket } from 'node:net';

/** Stands between a client and a service, and fails on demand. */
export class FaultProxy {
  readonly #sockets = new Set<Socket>();
  #fault: 'none' | 'down' | 'blackhole' = 'none';
  #delayMs = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
    private readonly tap: () => (chunk: Buffer) => void,
  ) {}

  /** @param tap called for each connection; the function it returns is given every chunk that goes to the service. */
  static async inFrontOf(
    targetUrl: string,
    tap: () => (chunk: Buffer) => void = () => () => undefined,
  ): Promise<FaultProxy> {
    const server = createServer();
    const proxy = new FaultProxy(server, new URL(targetUrl), tap);
    server.on('connection', (socket) => {
      proxy.accept(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** The service's URL, with the proxy's address in it. */
  get url(): string {
    const address = this.server.address();
    const url = new URL(this.target);
    url.host = `127.0.0.1:${String(typeof address === 'object' && address ? address.port : 0)}`;
    return url.href;
  }

  /** Cuts every connection and refuses new ones. */
  down(): void {
    this.#fault = 'down';
    this.#sockets.forEach((socket) => socket.destroy());
  }

  /** Keeps connections open, accepts new ones, and lets nothing through. */
  blackhole(): void {
    this.#fault = 'blackhole';
  }

  /** Lets everything through, each way later by so much. */
  slow(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** Works again; what went into the black hole stays lost. */
  up(): void {
    if (this.#fault === 'blackhole') {
      this.#sockets.forEach((socket) => socket.destroy());
    }
    this.#fault = 'none';
    this.#delayMs = 0;
  }

  async close(): Promise<void> {
    this.#sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    if (this.#fault === 'down') {
      client.destroy();
      return;
    }
    const service = connect(Number(this.target.port), this.target.hostname);
    this.forward(client, service, this.tap());
    this.forward(service, client);
  }

  private forward(from: Socket, to: Socket, show: (chunk: Buffer) => void = () => undefined): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (bytes) => {
      if (this.#fault === 'none') {
        show(bytes);
        if (this.#delayMs > 0) {
          setTimeout(() => to.write(bytes), this.#delayMs);
        } else {
          to.write(bytes);
        }
      }
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

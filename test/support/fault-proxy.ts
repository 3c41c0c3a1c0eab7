import { createServer, connect, type Server, type Socket } from 'node:net';

/** The end of a request in PostgreSQL's protocol: a Sync message. Without it the server waits for more of the request. */
const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);

/** One connection through the proxy. A silent one carries nothing any more, not even its end: each side goes on waiting. */
interface Line {
  readonly client: Socket;
  readonly service: Socket;
  silent: boolean;
}

/** Stands between a client and a service, and fails on demand. */
export class FaultProxy {
  readonly #sockets = new Set<Socket>();
  readonly #lines = new Set<Line>();
  #fault: 'none' | 'down' | 'blackhole' = 'none';
  #newAreSilent = false;
  #cutWithin: string | undefined;
  #delayMs = 0;
  #unwanted: string | undefined;
  #refusals = 0;

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
    this.cutAll();
  }

  /** Cuts every connection; new ones work. */
  cutAll(): void {
    this.#sockets.forEach((socket) => socket.destroy());
  }

  /** Ends each connection with this chance, by a reset to both sides. @returns how many */
  resetSome(chance: number, random: () => number): number {
    const chosen = [...this.#lines].filter(() => random() < chance);
    chosen.forEach(({ client, service }) => {
      client.resetAndDestroy();
      service.resetAndDestroy();
    });
    return chosen.length;
  }

  /** Keeps connections open, accepts new ones, and lets nothing through. */
  blackhole(): void {
    this.#fault = 'blackhole';
  }

  /**
   * Makes connections silent for good: those that the service sees come from one of `ports` (`client_port` in
   * `pg_stat_activity`), or all that are open. Others, and new ones, work. @returns how many
   */
  silence(ports?: readonly number[]): number {
    const chosen = [...this.#lines].filter(
      ({ service, silent }) => !silent && (ports === undefined || ports.includes(service.localPort ?? 0)),
    );
    chosen.forEach((line) => {
      line.silent = true;
    });
    return chosen.length;
  }

  /**
   * Makes the next connection to PostgreSQL silent that carries `text`, in the middle of a request: all but its end arrives,
   * as when the network fails between two packets.
   */
  silenceWithin(text: string): void {
    this.#cutWithin = text;
  }

  /** Whether what {@link silenceWithin} waits for has come. */
  get hasCut(): boolean {
    return this.#cutWithin === undefined;
  }

  /** Ends every connection as soon as its client says `text`, as a broker does with a client that it does not want. */
  refuse(text: string): void {
    this.#unwanted = text;
    this.#refusals = 0;
  }

  /** How often what {@link refuse} is told has happened. */
  get refusals(): number {
    return this.#refusals;
  }

  /** New connections are accepted and silent from their beginning, until it is up again. */
  silenceNew(): void {
    this.#newAreSilent = true;
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
    this.#newAreSilent = false;
    this.#unwanted = undefined;
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
    const line = { client, service, silent: this.#newAreSilent };
    this.#lines.add(line);
    this.forward(line, client, service, this.tap());
    this.forward(line, service, client);
  }

  private forward(line: Line, from: Socket, to: Socket, show: (chunk: Buffer) => void = () => undefined): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (bytes) => {
      if (this.#unwanted !== undefined && from === line.client && bytes.includes(this.#unwanted)) {
        this.#refusals += 1;
        from.destroy();
        return;
      }
      if (this.#fault === 'none' && !line.silent) {
        show(bytes);
        const passed = this.cut(line, bytes);
        if (this.#delayMs > 0) {
          setTimeout(() => to.write(passed), this.#delayMs);
        } else {
          to.write(passed);
        }
      }
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      this.#lines.delete(line);
      if (!line.silent) {
        to.destroy();
      }
    });
  }

  private cut(line: Line, bytes: Buffer): Buffer {
    const at = this.#cutWithin === undefined ? -1 : bytes.indexOf(this.#cutWithin);
    const end = at === -1 ? -1 : bytes.indexOf(SYNC, at);
    if (end === -1) {
      return bytes;
    }
    this.#cutWithin = undefined;
    line.silent = true;
    return bytes.subarray(0, end);
  }
}

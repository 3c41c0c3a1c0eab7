import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it arrived, with all of its body. */
export interface ArrivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An HTTP server that answers one request after another as the test says, the last answer for all that follow. */
export class ScriptedServer {
  readonly requests: ArrivedRequest[] = [];
  readonly #server: Server;
  #answers: readonly ((response: ServerResponse) => void)[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const [answer, ...later] = this.#answers;
        this.#answers = later.length > 0 ? later : this.#answers;
        this.requests.push({ method, url, headers, body: Buffer.concat(chunks) });
        answer?.(response);
      });
    });
  }

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Forgets what it was asked before. Without an answer it says nothing. */
  answer(...answers: readonly ((response: ServerResponse) => void)[]): void {
    this.#answers = answers;
    this.requests.length = 0;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

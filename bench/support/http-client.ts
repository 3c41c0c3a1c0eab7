import { Agent, request } from 'node:http';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Asks one server over connections that stay open. Plain `node:http`, because `fetch` would cost more than what it
 * measures.
 */
export class HttpClient {
  readonly #agent: Agent;
  readonly #target: { readonly host: string; readonly port: string };

  constructor(url: string, connections: number) {
    const { hostname, port } = new URL(url);
    this.#target = { host: hostname, port };
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  send({ method, path, headers = {}, body }: HttpRequest): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const options = { ...this.#target, agent: this.#agent, method, path, headers, timeout: 60_000 };
      const outgoing = request(options, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
        });
      });
      outgoing.on('error', reject);
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} took longer than a minute.`)));
      outgoing.end(body);
    });
  }

  /** Sends JSON to the API. @throws when the answer is not a good one. */
  async post<T>(path: string, body: object, headers: HttpRequest['headers'] = {}): Promise<T> {
    const answer = await this.send({
      method: 'POST',
      path: `/api/v1${path}`,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (answer.status >= 300) {
      throw new Error(`${path} answered ${String(answer.status)}: ${answer.body}`);
    }
    return JSON.parse(answer.body) as T;
  }

  close(): void {
    this.#agent.destroy();
  }
}

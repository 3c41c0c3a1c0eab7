import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** A webhook as it arrived. */
export interface ArrivedWebhook {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly message: {
    readonly type: string;
    readonly timestamp: string;
    readonly sequence: number | null;
    readonly data: {
      readonly id?: string;
      readonly deviceId?: string | null;
      readonly payload?: Record<string, unknown>;
    };
  };
  /** By `performance.now()`. */
  readonly at: number;
  /** How many others were under way. */
  readonly beside: number;
}

/** What it does with a request: a status, or nothing at all. */
export type Reaction = number | 'hang' | 'reset' | ((response: ServerResponse) => void);

/** A receiver of webhooks on this machine. */
export class WebhookReceiver {
  readonly arrived: ArrivedWebhook[] = [];
  /** Decides on each request. */
  react: (webhook: ArrivedWebhook) => Reaction = () => 204;
  readonly #server: Server;
  #underWay = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      const beside = this.#underWay;
      this.#underWay += 1;
      response.on('close', () => {
        this.#underWay -= 1;
      });
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const webhook = {
          id: String(request.headers['webhook-id']),
          headers: request.headers,
          text,
          message: JSON.parse(text) as ArrivedWebhook['message'],
          at: performance.now(),
          beside,
        };
        this.arrived.push(webhook);
        perform(this.react(webhook), response);
      });
    });
  }

  static async start(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/hooks`;
  }

  /** Those of a type, or of a device. */
  of(part: { readonly type?: string; readonly deviceId?: string }): ArrivedWebhook[] {
    return this.arrived.filter(
      ({ message }) =>
        (part.type === undefined || message.type === part.type) &&
        (part.deviceId === undefined || message.data.deviceId === part.deviceId),
    );
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }
}

/** Whether the public library of Standard Webhooks takes it. */
export function isVerified(secret: string, { text, headers }: Pick<ArrivedWebhook, 'text' | 'headers'>): boolean {
  try {
    new Webhook(secret).verify(text, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}

function perform(reaction: Reaction, response: ServerResponse): void {
  if (typeof reaction === 'function') {
    reaction(response);
  } else if (typeof reaction === 'number') {
    response.writeHead(reaction).end();
  } else if (reaction === 'reset') {
    response.socket?.resetAndDestroy();
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { selfSigned } from './self-signed.js';

/** What it was posted. */
export interface ChatPost {
  readonly path: string;
  readonly body: { readonly text: string; readonly chat_id?: string; readonly disable_web_page_preview?: boolean };
}

export const BOT_TOKEN = '8123456789:AAGx-canary_of_a_bot_token_0123456789';
export const CHAT_ID = '-1001234567890';
const MAX_TEXT = 4_096;

/**
 * Chats over HTTPS: `/bot<token>/sendMessage` answers as the documents of Telegram's Bot API say, `/services/…` as Slack's incoming
 * webhooks do, `/hang…` not at all, and `/status/<status>` with that.
 */
export class ChatServer {
  readonly posts: ChatPost[] = [];
  /** As Telegram has it: what it answers to good calls instead. */
  refusal: { readonly status: number; readonly description: string; readonly retryAfter?: number } | null = null;
  /** Before it answers. */
  hold: () => Promise<unknown> = () => Promise.resolve();
  readonly #trusted = getCACertificates('default');

  private constructor(private readonly server: Server) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const post = {
          path: request.url ?? '',
          body: JSON.parse(Buffer.concat(chunks).toString()) as ChatPost['body'],
        };
        this.posts.push(post);
        if (!post.path.startsWith('/hang')) {
          void this.hold().then(() => {
            this.answer(post, response);
          });
        }
      });
    });
  }

  /** Trusted by this process until it stops. */
  static async start(): Promise<ChatServer> {
    const certificate = selfSigned('localhost');
    const server = new ChatServer(createServer(certificate));
    setDefaultCACertificates([...server.#trusted, certificate.cert]);
    await new Promise<void>((resolve) => server.server.listen(0, resolve));
    return server;
  }

  url(path: string): string {
    return `https://localhost:${String((this.server.address() as AddressInfo).port)}${path}`;
  }

  get telegram(): { readonly url: string; readonly chatId: string } {
    return { url: this.url(`/bot${BOT_TOKEN}/sendMessage`), chatId: CHAT_ID };
  }

  async stop(): Promise<void> {
    setDefaultCACertificates(this.#trusted);
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }

  private answer(post: ChatPost, response: ServerResponse): void {
    const status = /^\/status\/(\d+)$/.exec(post.path)?.[1];
    if (status !== undefined) {
      response.writeHead(Number(status)).end();
    } else if (post.path.startsWith('/services/')) {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
    } else {
      this.answerAsTelegram(post, response);
    }
  }

  private answerAsTelegram({ path, body }: ChatPost, response: ServerResponse): void {
    const say = (code: number, answer: object): void => {
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    };
    const refuse = (code: number, description: string, more: object = {}): void => {
      say(code, { ok: false, error_code: code, description, ...more });
    };
    if (path !== `/bot${BOT_TOKEN}/sendMessage`) {
      refuse(401, 'Unauthorized');
    } else if (body.chat_id !== CHAT_ID) {
      refuse(400, 'Bad Request: chat not found');
    } else if (body.text.length > MAX_TEXT) {
      refuse(400, 'Bad Request: message is too long');
    } else if (this.refusal) {
      const { status, description, retryAfter } = this.refusal;
      refuse(status, description, retryAfter === undefined ? {} : { parameters: { retry_after: retryAfter } });
    } else {
      const chat = { id: Number(CHAT_ID), title: 'Doors', type: 'supergroup' };
      say(200, { ok: true, result: { message_id: 7, date: 1_796_540_400, chat, text: body.text } });
    }
  }
}

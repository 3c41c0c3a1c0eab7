import { generateKeyPairSync } from 'node:crypto';
import {
  constants,
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import type { SelfSigned } from './self-signed.js';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** What it does with a request; null: nothing at all. */
export type ApnsReaction =
  | { readonly status: number; readonly reason?: string; readonly headers?: Readonly<Record<string, string>> }
  | ((stream: ServerHttp2Stream) => void)
  | null;

export interface ArrivedPush {
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
  readonly bytes: number;
  /** The connection on which it came, counted from 1. */
  readonly connection: number;
}

/** Apple's push service over HTTP/2, without TLS unless a certificate is given. */
export class ApnsServer {
  readonly arrived: ArrivedPush[] = [];
  /** Decides on each request. */
  react: (push: ArrivedPush) => ApnsReaction = () => ({ status: 200 });
  connections = 0;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Http2Server;

  private constructor(certificate?: SelfSigned) {
    this.#server = certificate ? createSecureServer({ ...certificate }) : createServer();
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket.on('error', () => undefined));
    });
    this.#server.on('session', (session) => {
      this.connections += 1;
      const connection = this.connections;
      this.#sessions.add(session.on('error', () => undefined));
      session.on('stream', (stream: ServerHttp2Stream, headers) => {
        this.take(stream, headers, connection);
      });
    });
  }

  static async start(certificate?: SelfSigned): Promise<ApnsServer> {
    const server = new ApnsServer(certificate);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** The text of the .p8 file. */
  static get keyFile(): string {
    return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  /** Verifies the provider token, and gives what it says. */
  static async tokenOf({ headers }: ArrivedPush): Promise<Readonly<Record<string, unknown>>> {
    const [, token = ''] = /^bearer (\S+)$/.exec(headers.authorization ?? '') ?? [];
    const { payload } = await jwtVerify(token, publicKey, { algorithms: ['ES256'] });
    return { ...payload, kid: decodeProtectedHeader(token).kid };
  }

  /** Says that it is going: requests that come later are not begun with. */
  goAway(): void {
    this.#sessions.forEach((session) => {
      session.goaway(constants.NGHTTP2_NO_ERROR);
    });
  }

  async stop(): Promise<void> {
    this.#sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => this.#server.close(resolve));
  }

  private take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: number): void {
    const chunks: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const body = JSON.parse(bytes.toString()) as ArrivedPush['body'];
      const push = { headers, body, bytes: bytes.length, connection };
      this.arrived.push(push);
      perform(this.react(push), stream, headers);
    });
  }
}

function perform(reaction: ApnsReaction, stream: ServerHttp2Stream, received: IncomingHttpHeaders): void {
  if (typeof reaction === 'function') {
    reaction(stream);
  } else if (reaction !== null) {
    const { status, reason, headers = {} } = reaction;
    stream.respond({ ':status': status, 'apns-id': received['apns-id'], ...headers });
    stream.end(reason === undefined ? undefined : JSON.stringify({ reason }));
  }
}

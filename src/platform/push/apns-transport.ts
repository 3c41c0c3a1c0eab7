import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { within } from '../../shared/deadline.js';
import { objectOf, ProviderRequestError } from '../providers/provider-request.js';

const MAX_BODY_BYTES = 16_384;

/** In milliseconds. */
export interface ApnsTimes {
  /** Of a connection, until the server has sent its settings. */
  readonly connectWithin: number;
  readonly answerWithin: number;
  /** A connection that was silent for so long is asked for a sign of life before it is used. */
  readonly trustedFor: number;
  readonly pongWithin: number;
}

export interface ApnsAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Empty where the answer is no JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The server has not begun with the request: it may be sent once more at once. */
class NotBegunError extends Error {}

interface Connection {
  readonly session: ClientHttp2Session;
  /** When the server was last heard, by `performance.now()`. */
  heardAt: number;
  alive: Promise<void> | null;
}

const TIMES: ApnsTimes = { connectWithin: 5_000, answerWithin: 10_000, trustedFor: 30_000, pongWithin: 2_000 };

/**
 * One connection of HTTP/2, which many requests share. One that the server ends, or that has gone silent, is replaced at the next
 * request; those that it has not begun with go over the new one.
 */
export class ApnsTransport {
  #connection: Promise<Connection> | null = null;
  #session: ClientHttp2Session | null = null;
  #isClosed = false;

  constructor(
    private readonly url: string,
    private readonly times: ApnsTimes = TIMES,
  ) {}

  /** @throws ProviderRequestError */
  async request(headers: OutgoingHttpHeaders, body: string): Promise<ApnsAnswer> {
    try {
      return await this.attempt(headers, body);
    } catch (error) {
      if (!(error instanceof NotBegunError)) {
        throw error;
      }
    }
    return this.attempt(headers, body).catch((error: unknown) => {
      throw error instanceof NotBegunError ? new ProviderRequestError('connection_failed') : error;
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#session?.destroy();
  }

  private async attempt(headers: OutgoingHttpHeaders, body: string): Promise<ApnsAnswer> {
    const connection = await this.living();
    const beganAt = performance.now();
    try {
      return await exchange(connection, headers, body, this.times.answerWithin);
    } catch (error) {
      // Not a word about any request since this one began: what is on the other side is gone.
      if (error instanceof ProviderRequestError && error.reason === 'timed_out' && connection.heardAt < beganAt) {
        this.discard(connection.session);
      }
      throw error;
    }
  }

  private async living(): Promise<Connection> {
    const connection = await this.connection();
    if (performance.now() - connection.heardAt < this.times.trustedFor) {
      return connection;
    }
    connection.alive ??= pong(connection, this.times.pongWithin).finally(() => {
      connection.alive = null;
    });
    try {
      await connection.alive;
      return connection;
    } catch {
      this.discard(connection.session);
      return this.connection();
    }
  }

  private connection(): Promise<Connection> {
    if (this.#isClosed) {
      return Promise.reject(new ProviderRequestError('connection_failed'));
    }
    this.#connection ??= this.opened();
    return this.#connection;
  }

  private opened(): Promise<Connection> {
    const session = connect(this.url);
    this.#session = session;
    const forget = (): void => {
      this.forget(session);
    };
    session.on('goaway', forget).on('close', forget);
    return within(this.times.connectWithin, settled(session)).then(
      () => ({ session, heardAt: performance.now(), alive: null }),
      () => {
        this.discard(session);
        throw new ProviderRequestError('connection_failed');
      },
    );
  }

  /** At once: its end is told later, when the next request may have come. */
  private discard(session: ClientHttp2Session): void {
    this.forget(session);
    session.destroy();
  }

  private forget(session: ClientHttp2Session): void {
    if (this.#session === session) {
      this.#session = null;
      this.#connection = null;
    }
  }
}

/** The server speaks HTTP/2, and has said how many requests it takes at once. */
function settled(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.once('remoteSettings', () => {
      resolve();
    });
    // Also later ones, which end the requests under way by themselves.
    session.on('error', reject).once('close', () => {
      reject(new Error('closed'));
    });
  });
}

async function pong(connection: Connection, limitMs: number): Promise<void> {
  await within(
    limitMs,
    new Promise<void>((resolve, reject) => {
      const isSent = connection.session.ping((error) => {
        if (error) {
          reject(error);
        } else {
          resolve();
        }
      });
      if (!isSent) {
        reject(new Error('not sent'));
      }
    }),
  );
  connection.heardAt = performance.now();
}

function exchange(
  connection: Connection,
  headers: OutgoingHttpHeaders,
  body: string,
  limitMs: number,
): Promise<ApnsAnswer> {
  const stream = streamOf(connection.session, headers);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new ProviderRequestError('timed_out'));
      stream.close(constants.NGHTTP2_CANCEL);
    }, limitMs);
    let answered: IncomingHttpHeaders | null = null;
    let text = '';
    stream.setEncoding('utf8');
    stream.on('response', (received) => {
      answered = received;
      connection.heardAt = performance.now();
    });
    stream.on('data', (piece: string) => {
      text += piece;
      if (text.length > MAX_BODY_BYTES) {
        reject(new ProviderRequestError('invalid_answer'));
        stream.close(constants.NGHTTP2_CANCEL);
      }
    });
    stream.on('end', () => {
      if (answered !== null) {
        resolve({ status: Number(answered[':status']), headers: answered, body: objectOf(text) });
      }
    });
    // Its end says what became of it, whether or not there was an error.
    stream.on('error', () => undefined);
    stream.on('close', () => {
      clearTimeout(timer);
      const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
      reject(isRefused ? new NotBegunError() : new ProviderRequestError('connection_failed'));
    });
    stream.end(body);
  });
}

/** A session that is ending takes no request, and one that has ended only seems to. */
function streamOf(session: ClientHttp2Session, headers: OutgoingHttpHeaders): ClientHttp2Stream {
  if (session.closed || session.destroyed) {
    throw new NotBegunError();
  }
  try {
    return session.request(headers);
  } catch {
    throw new NotBegunError();
  }
}

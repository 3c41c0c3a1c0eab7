import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Agent, type Dispatcher, request as undiciRequest } from 'undici';
import { AppConfig } from '../../config/app-config.js';
import { type Counter, type Histogram, Metrics } from '../metrics/metrics.js';
import { abortedAfter } from '../storage/abortable.js';
import { judgedConnector } from './judged-connector.js';
import { NameResolver } from './name-resolver.js';
import { judgeUrl, type OutboundUrl } from './outbound-address.js';
import { answeredHeaders, outboundHeaders } from './outbound-headers.js';
import { OutboundLimiter } from './outbound-limiter.js';
import { OutboundError, type OutboundReason } from './outbound.errors.js';

const TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16_384;
const MAX_BODY_BYTES = 4_096;
const CALLS_AT_ONCE = 64;
const CALLS_PER_ORIGIN = 2;
const MOST_PER_ORIGIN = 8;
/** A connection without a call is closed then, whatever the server offers. */
const IDLE_MS = 4_000;
/** Answers of 1xx before the one that counts. */
const MAX_INFORMATIONAL = 8;

export interface OutboundRequest {
  readonly url: string;
  readonly method: 'POST' | 'GET';
  /** Neither of the connection nor `Host`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Milliseconds for everything, from the call to the last byte: 10 s unless said otherwise. */
  readonly timeoutMs?: number;
  /** Calls to the origin that may be under way with this one: 2 unless said otherwise, 8 at most. */
  readonly atOnce?: number;
}

export interface OutboundAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The first 4,096 bytes. */
  readonly body: string;
  readonly durationMs: number;
}

/**
 * The one way to an address that a user gave. It reaches the public and what the operator allows, follows no redirect, minds no
 * proxy of the environment, and ends in a bounded time with a bounded answer (docs/outbound.md).
 */
@Injectable()
export class OutboundClient implements OnApplicationShutdown {
  readonly #agent: Agent;
  readonly #endConnecting: () => void;
  readonly #limiter = new OutboundLimiter(CALLS_AT_ONCE);
  readonly #requests: Counter<'outcome'>;
  readonly #seconds: Histogram;

  constructor(
    private readonly config: AppConfig,
    private readonly resolver: NameResolver,
    metrics: Metrics,
  ) {
    const { connect, end } = judgedConnector(resolver, config.outbound.allowedNetworks);
    this.#endConnecting = end;
    this.#agent = new Agent({
      connect,
      connections: MOST_PER_ORIGIN,
      pipelining: 1,
      allowH2: false,
      useMilo: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      // The time of a call is measured as a whole: a server that sends a byte now and then is never silent.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#requests = metrics.counter(
      'mortise_outbound_requests_total',
      'Calls to addresses that users gave, by what came of them: answered, or why not',
      ['outcome'],
    );
    this.#seconds = metrics.latency('mortise_outbound_seconds', 'From such a call to the end of its answer');
  }

  /**
   * @throws OutboundError when no answer came
   * @throws InvalidOutboundHeaderError
   */
  async send(request: OutboundRequest, signal?: AbortSignal): Promise<OutboundAnswer> {
    const headers = outboundHeaders(request.headers, this.config.build.version);
    const began = performance.now();
    let outcome: OutboundReason | 'answered' = 'answered';
    try {
      const answer = await this.answerTo({ ...request, headers }, signal);
      return { ...answer, durationMs: performance.now() - began };
    } catch (error) {
      const failure = signal?.aborted === true ? new OutboundError('aborted') : failureOf(error);
      outcome = failure.reason;
      throw failure;
    } finally {
      this.#requests.inc({ outcome });
      this.#seconds.observe((performance.now() - began) / 1_000);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    this.resolver.end();
    this.#endConnecting();
    await this.#agent.destroy(new OutboundError('aborted'));
  }

  private async answerTo(
    request: OutboundRequest,
    signal: AbortSignal | undefined,
  ): Promise<Omit<OutboundAnswer, 'durationMs'>> {
    const url = judgeUrl(request.url, this.config.outbound.allowedNetworks);
    if ('fault' in url) {
      throw new OutboundError('address_not_allowed', url.message);
    }
    const limitMs = request.timeoutMs ?? TIMEOUT_MS;
    const perOrigin = Math.min(request.atOnce ?? CALLS_PER_ORIGIN, MOST_PER_ORIGIN);
    const tooLate = new OutboundError('timed_out', `The answer was not whole within ${String(limitMs)} ms.`);
    return abortedAfter(limitMs, tooLate, signal, (ending) =>
      this.#limiter.run({ origin: url.origin, perOrigin }, ending, () => this.call(url, request, ending)),
    );
  }

  private async call(
    { href }: OutboundUrl,
    { method, headers, body: sent }: OutboundRequest,
    signal: AbortSignal,
  ): Promise<Omit<OutboundAnswer, 'durationMs'>> {
    let informational = 0;
    const answer = await undiciRequest(href, {
      dispatcher: this.#agent,
      method,
      headers,
      body: sent ?? null,
      signal,
      onInfo: () => {
        informational += 1;
        if (informational > MAX_INFORMATIONAL) {
          throw new OutboundError('invalid_answer');
        }
      },
    });
    const { statusCode: status, body } = answer;
    if (status >= 300 && status < 400) {
      body.on('error', ignore).destroy();
      throw new OutboundError('redirected');
    }
    return { status, headers: answeredHeaders(answer.headers), body: await beginningOf(body) };
  }
}

/** What is longer ends with its connection. */
async function beginningOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BODY_BYTES) {
      break;
    }
  }
  const bytes = Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES);
  // A character that was cut is left out; U+0000 is none that PostgreSQL keeps.
  return new TextDecoder().decode(bytes, { stream: size > MAX_BODY_BYTES }).replaceAll('\0', '\ufffd');
}

/** No error of a library goes further: it may name the address that was connected to. */
function failureOf(error: unknown): OutboundError {
  if (error instanceof OutboundError) {
    return error;
  }
  const { code = '' } = error as { readonly code?: unknown };
  return new OutboundError(isBroken(String(code)) ? 'connection_failed' : 'invalid_answer');
}

function isBroken(code: string): boolean {
  return ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET', 'UND_ERR_DESTROYED', 'UND_ERR_CLOSED'].includes(code);
}

function ignore(): void {
  // It was ended here.
}

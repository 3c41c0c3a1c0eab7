import { randomUUID } from 'node:crypto';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { SignalName, SignalPayloads } from '../../contracts/signals.js';
import { outsideRequest } from '../context/request-context.js';
import { type BackgroundLoop, type StepOutcome } from '../scheduling/background-loop.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import { type Redis, RedisClients, SILENCE_LIMIT_MS } from './redis-clients.js';

const CHANNEL = 'mortise:signals';
/** A subscriber asks nothing by itself, and would not notice that its connection is dead. */
const ASK_EVERY_MS = 2_000;

type Handler<N extends SignalName> = (body: SignalPayloads[N]) => void;

/**
 * Lossy hints between processes, over Redis pub/sub. This process hears its own hints at once and without Redis; what
 * a hint speeds up happens without it too, only later.
 */
@Injectable()
export class SignalBus implements OnModuleInit, OnModuleDestroy {
  readonly #origin = randomUUID();
  readonly #handlers = new Map<SignalName, Set<Handler<never>>>();
  readonly #loop: BackgroundLoop;
  #subscriber: Redis | undefined;

  constructor(
    private readonly redis: RedisClients,
    loops: LoopRegistry,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(SignalBus.name);
    this.#loop = loops.create('signals', () => this.ask(), {
      idleFromMs: ASK_EVERY_MS,
      idleMs: ASK_EVERY_MS,
      retryMs: ASK_EVERY_MS,
      deadlineMs: 2 * SILENCE_LIMIT_MS,
      onError: (error) => {
        logger.debug({ err: error }, 'The subscription to signals does not answer');
      },
    });
  }

  onModuleInit(): void {
    // ioredis would subscribe again by itself, and let nothing handle it when that fails.
    const subscriber = this.redis.dedicated('signals', { autoResubscribe: false });
    subscriber.on('ready', () => {
      subscriber.subscribe(CHANNEL).catch((error: unknown) => {
        this.logger.debug({ err: error }, 'Not subscribed to signals');
      });
    });
    subscriber.on('message', (_channel: string, text: string) => {
      this.receive(text);
    });
    this.#subscriber = subscriber;
    this.#loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#loop.stop();
  }

  publish<N extends SignalName>(name: N, body: SignalPayloads[N]): void {
    queueMicrotask(() => {
      // What a hint sets going is no work of the request that gave it.
      outsideRequest(() => {
        this.deliver(name, body);
      });
    });
    const text = JSON.stringify({ origin: this.#origin, name, body });
    this.redis.app.publish(CHANNEL, text).catch((error: unknown) => {
      this.logger.debug({ signal: name, err: error }, 'A signal did not leave this process');
    });
  }

  /** @returns a function that ends the subscription. */
  on<N extends SignalName>(name: N, handler: Handler<N>): () => void {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  /** A question that gets no answer makes the client replace its connection. */
  private async ask(): Promise<StepOutcome> {
    if (this.#subscriber?.status !== 'ready') {
      throw new Error('There is no connection to Redis.');
    }
    await this.#subscriber.ping();
    return 'idle';
  }

  private receive(text: string): void {
    let signal: { origin: string; name: SignalName; body: never } | null;
    try {
      signal = JSON.parse(text) as typeof signal;
    } catch (error) {
      // Another program wrote into our channel.
      this.logger.debug({ err: error }, 'A signal could not be read');
      return;
    }
    if (typeof signal === 'object' && signal !== null && signal.origin !== this.#origin) {
      this.deliver(signal.name, signal.body);
    }
  }

  private deliver<N extends SignalName>(name: N, body: SignalPayloads[N]): void {
    this.#handlers.get(name)?.forEach((handler) => {
      try {
        (handler as unknown as Handler<N>)(body);
      } catch (error) {
        this.logger.error({ signal: name, err: error }, 'A signal handler failed');
      }
    });
  }
}

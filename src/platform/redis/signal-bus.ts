import { randomUUID } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { SignalName, SignalPayloads } from '../../contracts/signals.js';
import { outsideRequest } from '../context/request-context.js';
import { type Redis, RedisClients } from './redis-clients.js';

const CHANNEL = 'mortise:signals';

type Handler<N extends SignalName> = (body: SignalPayloads[N]) => void;

/**
 * Lossy hints between processes, over Redis pub/sub. This process hears its own hints at once and without Redis; what
 * a hint speeds up happens without it too, only later.
 */
@Injectable()
export class SignalBus implements OnModuleInit {
  readonly #origin = randomUUID();
  readonly #handlers = new Map<SignalName, Set<Handler<never>>>();
  #subscriber: Redis | undefined;

  constructor(
    private readonly redis: RedisClients,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(SignalBus.name);
  }

  onModuleInit(): void {
    // ioredis subscribes again by itself after every reconnect.
    this.#subscriber = this.redis.dedicated('signals', { enableOfflineQueue: true });
    this.#subscriber.on('message', (_channel: string, text: string) => {
      this.receive(text);
    });
    this.#subscriber.subscribe(CHANNEL).catch((error: unknown) => {
      this.logger.debug({ err: error }, 'Not subscribed to signals');
    });
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

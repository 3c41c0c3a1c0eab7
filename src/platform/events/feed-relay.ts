import { hostname } from 'node:os';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { messageOfError } from '../../shared/error-message.js';
import { SignalBus } from '../redis/signal-bus.js';
import { type BackgroundLoop, type StepOutcome, settleWithin } from '../scheduling/background-loop.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import { EventStore } from './event-store.js';
import { FeedStream } from './feed-stream.js';
import { LIVE_FEED } from './reader-cursors.repository.js';
import { type Lease, LEASE_MS, ReaderLeaseStore } from './reader-lease-store.js';

const BATCH = 500;
const IDLE_MS = 500;
const RETRY_MS = 1_000;
const RELEASE_WITHIN_MS = 500;
const RENEW_AFTER_MS = LEASE_MS / 3;

/**
 * Copies the log to the stream that API nodes tail. One relay is active by lease, the others stand by. It copies first
 * and moves its cursor then: a crash in between copies a batch twice, and readers drop what they have seen.
 */
@Injectable()
export class FeedRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** For people who look at the row; what protects the cursor is the fence. */
  readonly #holder = `${hostname()}:${String(process.pid)}`;
  readonly #loop: BackgroundLoop;
  #lease: Lease | null = null;
  #renewedAt = 0;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly leases: ReaderLeaseStore,
    private readonly stream: FeedStream,
    private readonly signals: SignalBus,
    loops: LoopRegistry,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(FeedRelay.name);
    this.#loop = loops.create('feed_relay', () => this.step(), {
      idleMs: IDLE_MS,
      retryMs: RETRY_MS,
      onError: (error, failures) => {
        // One line per outage, not one per attempt.
        this.logger[failures === 1 ? 'warn' : 'debug'](
          { reason: messageOfError(error) },
          'The relay could not go on; it tries again',
        );
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#unsubscribe = this.signals.on('events_appended', () => {
      // A relay that stands by has nothing to hurry for.
      if (this.#lease) {
        this.#loop.wake();
      }
    });
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe?.();
    await this.#loop.stop();
    if (this.#lease) {
      const released = this.leases.release(this.#lease).catch((error: unknown) => {
        this.logger.warn({ reason: messageOfError(error) }, 'The lease was not released; it runs out by itself');
      });
      await settleWithin(RELEASE_WITHIN_MS, released);
    }
  }

  private async step(): Promise<StepOutcome> {
    const lease = this.#lease ?? (await this.takeLease());
    if (!lease) {
      return 'idle';
    }
    const entries = await this.store.listAfter(lease.position, BATCH);
    const last = entries.at(-1);
    if (!last) {
      await this.renewWhenDue(lease);
      return 'idle';
    }
    await this.stream.append(entries, lease.position);
    this.keep(await this.leases.advance(lease, last.position));
    return entries.length < BATCH ? 'idle' : 'more';
  }

  private async takeLease(): Promise<Lease | null> {
    const lease = await this.leases.take(LIVE_FEED, this.#holder);
    if (lease) {
      this.keep(lease);
      this.logger.info({ fence: lease.fence }, 'This process relays the live feed');
    }
    return lease;
  }

  private async renewWhenDue(lease: Lease): Promise<void> {
    if (performance.now() - this.#renewedAt > RENEW_AFTER_MS) {
      this.keep(await this.leases.advance(lease, lease.position));
    }
  }

  private keep(lease: Lease | null): void {
    if (!lease) {
      this.logger.warn('Another process relays the live feed now');
    }
    this.#lease = lease;
    this.#renewedAt = performance.now();
  }
}

import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Clock } from '../../shared/clock.js';
import { Metrics } from '../metrics/metrics.js';
import type { BackgroundLoop, StepOutcome } from '../scheduling/background-loop.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import { CacheInvalidationsRepository } from './cache-invalidations.repository.js';
import { CacheStore, EVERY_ENTRY } from './cache-store.js';

const EVERY_MS = 1_000;
/** Nothing is answered from the cache on the strength of an older look: no stale answer outlives this time. */
export const LOOK_HOLDS_MS = 3_000;
/** More at once end everything. */
const MAX_FOUND = 1_000;

/**
 * Looks every second whether something changed that Redis was not told of, and tells it. An edge of the role that answers from the
 * cache: its answers are as good as its last look, so every process has its own, and leaves the rows to the others.
 */
@Injectable()
export class CacheInvalidationSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;
  #lastLook: string | null = null;

  constructor(
    private readonly repository: CacheInvalidationsRepository,
    private readonly store: CacheStore,
    private readonly clock: Clock,
    loops: LoopRegistry,
    logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(CacheInvalidationSweeper.name);
    metrics.gauge(
      'mortise_cache_trusted_seconds',
      'How long this process may still answer from the cache without another look at the changes that Redis was not told of',
      [],
      (gauge) => {
        gauge.set(Math.max(0, store.trustedForMs) / 1_000);
      },
    );
    this.#loop = loops.create('cache_invalidations', () => this.look(), {
      idleFromMs: EVERY_MS,
      idleMs: EVERY_MS,
      retryMs: EVERY_MS,
      deadlineMs: LOOK_HOLDS_MS,
      onError: (error, failures) => {
        logger[failures === 1 ? 'warn' : 'debug']({ err: error }, 'Nothing is answered from the cache for now');
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }

  private async look(): Promise<StepOutcome> {
    const begun = this.clock.monotonic();
    const { found, at } = await this.repository.list(this.lastLook(), MAX_FOUND + 1);
    if (found.length > 0) {
      const tags = found.length > MAX_FOUND ? [EVERY_ENTRY] : found.flatMap((each) => each.tags);
      if (!(await this.store.release(this.store.bounded(tags), 'none'))) {
        throw new Error('Redis was not told of a change.');
      }
    }
    this.#lastLook = at;
    this.store.trustUntil(begun + LOOK_HOLDS_MS);
    return 'idle';
  }

  /** After a look that fails, the next one takes everything: another server may have taken over, and give the same ids again. */
  private lastLook(): string | null {
    const last = this.#lastLook;
    this.#lastLook = null;
    return last;
  }
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { quotaOf, type RateLimitPolicy } from '../../config/rate-limit.js';
import type { RateCategory } from '../../contracts/rate-limits.js';
import { Clock } from '../../shared/clock.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { RedisClients } from '../redis/redis-clients.js';
import { RateLimitRegistry } from './rate-limit-registry.js';
import { sharedWindow } from './shared-window.js';
import { type RateLimitDecision } from './sliding-window.js';
import { SlidingWindowStore } from './sliding-window-store.js';

/** Callers that one process remembers for each limit. */
const CAPACITY = 5_000;
/** After Redis failed to answer, it is not asked for so long. */
const PAUSE_MS = 1_000;

interface Limiter {
  readonly policy: RateLimitPolicy;
  readonly shared: RateLimiterRedis;
  readonly alone: SlidingWindowStore;
}

/**
 * Counts requests. All processes count together in Redis, and each for itself besides: while Redis is away, the limits
 * hold per process without a delay, and no count starts again when Redis goes or comes back.
 */
@Injectable()
export class RateLimiter implements OnModuleInit {
  readonly #limiters = new Map<RateCategory, Limiter>();
  readonly #refused: Counter<'category'>;
  readonly #degraded: Counter<'category'>;
  #aloneUntilMs = 0;

  constructor(
    private readonly registry: RateLimitRegistry,
    private readonly redis: RedisClients,
    metrics: Metrics,
    private readonly clock: Clock,
  ) {
    this.#refused = metrics.counter('mortise_rate_limit_refusals_total', 'Requests above a rate limit', ['category']);
    this.#degraded = metrics.counter(
      'mortise_rate_limit_degraded_total',
      'Decisions that a process took alone, because Redis did not answer',
      ['category'],
    );
  }

  /** Not earlier: features register their categories while the application is built. */
  onModuleInit(): void {
    for (const category of Object.keys(this.registry.all()) as RateCategory[]) {
      const policy = this.registry.policyOf(category);
      const shared = sharedWindow(this.redis.app, category, policy);
      this.#limiters.set(category, { policy, shared, alone: new SlidingWindowStore(withBurst(policy), CAPACITY) });
    }
  }

  policyOf(category: RateCategory): RateLimitPolicy {
    return this.limiterOf(category).policy;
  }

  /** Counts one request of `key`: an IP address, a user, a device. */
  async spend(category: RateCategory, key: string): Promise<RateLimitDecision> {
    const verdict = await this.decide(category, key);
    if (!verdict.admitted) {
      this.#refused.inc({ category });
    }
    return verdict;
  }

  private async decide(category: RateCategory, key: string): Promise<RateLimitDecision> {
    const { alone } = this.limiterOf(category);
    // What this process refuses is only looked up in Redis: counted there, it would take the place of the next try.
    const isRefusedHere = alone.waitMs(key, this.clock.monotonic()) > 0;
    const shared = await this.spendShared(category, key, isRefusedHere ? 0 : 1);
    const now = this.clock.monotonic();
    const waitMs = alone.waitMs(key, now);
    if (shared?.admitted === false) {
      return refusal(shared.resetMs, waitMs);
    }
    if (isRefusedHere && waitMs === 0) {
      // Its time came while Redis was asked, which counted nothing.
      return this.decide(category, key);
    }
    if (shared === null) {
      this.#degraded.inc({ category });
    }
    return isRefusedHere ? refusal(0, waitMs) : stricter(shared, alone.spend(key, now));
  }

  /** Null when Redis does not answer. */
  private async spendShared(category: RateCategory, key: string, cost: number): Promise<RateLimitDecision | null> {
    if (this.clock.monotonic() < this.#aloneUntilMs) {
      return null;
    }
    try {
      return decisionOf(true, await this.limiterOf(category).shared.consume(key, cost));
    } catch (outcome) {
      if (outcome instanceof RateLimiterRes) {
        return decisionOf(false, outcome);
      }
      this.#aloneUntilMs = this.clock.monotonic() + PAUSE_MS;
      return null;
    }
  }

  private limiterOf(category: RateCategory): Limiter {
    const limiter = this.#limiters.get(category);
    if (!limiter) {
      throw new Error(`No rate limit "${category}".`);
    }
    return limiter;
  }
}

/** A process alone has no bucket: the burst is part of its limit. */
function withBurst(policy: RateLimitPolicy): Pick<RateLimitPolicy, 'limit' | 'windowMs'> {
  return { limit: quotaOf(policy), windowMs: policy.windowMs };
}

/**
 * What Redis admitted may still be too much for what this process saw while Redis was away, or admitted at that moment. It
 * has taken its place in Redis then, which may have been the last one.
 */
function stricter(shared: RateLimitDecision | null, alone: RateLimitDecision): RateLimitDecision {
  if (!alone.admitted) {
    return refusal(shared?.remaining === 0 ? shared.resetMs : 0, alone.resetMs);
  }
  if (shared?.remaining === alone.remaining) {
    return alone.resetMs > shared.resetMs ? alone : shared;
  }
  return shared === null || alone.remaining < shared.remaining ? alone : shared;
}

/** The windows of Redis and of this process have parts that begin at different times: a try succeeds when both have room. */
function refusal(sharedMs: number, aloneMs: number): RateLimitDecision {
  return { admitted: false, remaining: 0, resetMs: Math.max(sharedMs, aloneMs) };
}

function decisionOf(admitted: boolean, { remainingPoints, msBeforeNext }: RateLimiterRes): RateLimitDecision {
  return { admitted, remaining: admitted ? remainingPoints : 0, resetMs: msBeforeNext };
}

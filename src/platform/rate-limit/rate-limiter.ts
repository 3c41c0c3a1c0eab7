import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { quotaOf, type RateLimitPolicy } from '../../config/rate-limit.js';
import type { RateCategory } from '../../contracts/rate-limits.js';
import { Clock } from '../../shared/clock.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { RedisClients } from '../redis/redis-clients.js';
import { type LookupQuestion, LookupRegistry, type LookupReply } from './lookup-registry.js';
import { RateLimitRegistry } from './rate-limit-registry.js';
import { SharedWindowStore, type WindowAnswer, type WindowCharge } from './shared-window-store.js';
import { type RateLimitDecision } from './sliding-window.js';
import { SlidingWindowStore } from './sliding-window-store.js';

/** Callers that one process remembers for each limit. */
const CAPACITY = 5_000;
/** After Redis failed to answer, it is not asked for so long. */
const PAUSE_MS = 1_000;

interface Limiter {
  readonly policy: RateLimitPolicy;
  readonly alone: SlidingWindowStore;
}

/** One request of `key` that counts in a category: an IP address, a user, a device. */
export interface Charge {
  readonly category: RateCategory;
  readonly key: string;
}

export interface ChargesAnswer {
  /** Of the charges in their order, up to the first that is refused: those after it are not counted. */
  readonly decisions: readonly RateLimitDecision[];
  /** Undefined: nothing was to be looked up, or a charge is refused. */
  readonly lookup: LookupReply | undefined;
}

/**
 * Counts requests. All processes count together in Redis, and each for itself besides: while Redis is away, the limits
 * hold per process without a delay, and no count starts again when Redis goes or comes back.
 */
@Injectable()
export class RateLimiter implements OnModuleInit, OnApplicationBootstrap {
  readonly #limiters = new Map<RateCategory, Limiter>();
  readonly #refused: Counter<'category'>;
  readonly #degraded: Counter<'category'>;
  readonly #shared: SharedWindowStore;
  #aloneUntilMs = 0;

  constructor(
    private readonly registry: RateLimitRegistry,
    redis: RedisClients,
    metrics: Metrics,
    private readonly clock: Clock,
    private readonly lookups: LookupRegistry,
  ) {
    this.#shared = new SharedWindowStore(redis.app);
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
      this.#limiters.set(category, { policy, alone: new SlidingWindowStore(withBurst(policy), CAPACITY) });
    }
  }

  /** Not earlier: the lookup is registered while modules initialize. */
  onApplicationBootstrap(): void {
    if (this.lookups.lua !== undefined) {
      this.#shared.define(this.lookups.lua);
    }
  }

  policyOf(category: RateCategory): RateLimitPolicy {
    return this.limiterOf(category).policy;
  }

  /** Whether a charge would be refused, as far as this process knows without asking. */
  isSpent({ category, key }: Charge): boolean {
    const now = this.clock.monotonic();
    const { alone } = this.limiterOf(category);
    const isKnown = now >= this.#aloneUntilMs && this.#shared.refusedMs(nameOf({ category, key }), now) > 0;
    return isKnown || alone.waitMs(key, now) > 0;
  }

  /** Counts one request of `key`. */
  async spend(category: RateCategory, key: string): Promise<RateLimitDecision> {
    const { decisions } = await this.ask([{ category, key }]);
    const [decision] = decisions;
    if (!decision) {
      throw new Error(`No decision on the rate limit "${category}".`);
    }
    return decision;
  }

  /** Counts the charges of one request in their order, and looks up what it asks for besides, in one question to Redis. */
  async ask(charges: readonly Charge[], question: LookupQuestion | null = null): Promise<ChargesAnswer> {
    const answer = await this.decide(charges, question);
    const last = answer.decisions.length - 1;
    const category = charges[last]?.category;
    if (category && answer.decisions[last]?.admitted === false) {
      this.#refused.inc({ category });
    }
    return answer;
  }

  private async decide(charges: readonly Charge[], question: LookupQuestion | null): Promise<ChargesAnswer> {
    const refused = charges.find((charge) => this.waitMs(charge) > 0);
    if (refused) {
      return this.decideUntil(refused, charges, question);
    }
    const shared = await this.askShared(charges, question);
    const decisions = this.admit(charges, shared);
    const isAdmitted = decisions.every(({ admitted }) => admitted);
    return { decisions, lookup: question && isAdmitted ? (shared?.lookup ?? { state: 'unanswered' }) : undefined };
  }

  /** This process refuses the charge `refused`, unless its time comes meanwhile. */
  private async decideUntil(
    refused: Charge,
    charges: readonly Charge[],
    question: LookupQuestion | null,
  ): Promise<ChargesAnswer> {
    const before = charges.slice(0, charges.indexOf(refused));
    // It is only looked up in Redis: counted there, it would take the place of the next try.
    const shared = await this.askShared(before, null, refused);
    const decisions = this.admit(before, shared);
    if (decisions.some(({ admitted }) => !admitted)) {
      return { decisions, lookup: undefined };
    }
    const there = shared?.decisions[before.length];
    const sharedMs = there?.admitted === false ? there.resetMs : 0;
    const waitMs = this.waitMs(refused);
    if (Math.max(sharedMs, waitMs) === 0) {
      // Its time came while Redis was asked, which counted nothing of it.
      const rest = await this.decide(charges.slice(before.length), question);
      return { ...rest, decisions: [...decisions, ...rest.decisions] };
    }
    if (!there) {
      this.#degraded.inc({ category: refused.category });
    }
    return { decisions: [...decisions, refusal(sharedMs, waitMs)], lookup: undefined };
  }

  /** Counts in this process what Redis admitted, up to the first refusal. */
  private admit(charges: readonly Charge[], shared: WindowAnswer | null): RateLimitDecision[] {
    const decisions: RateLimitDecision[] = [];
    for (const [index, charge] of charges.entries()) {
      const decision = this.decisionOn(charge, shared?.decisions[index] ?? null);
      decisions.push(decision);
      if (!decision.admitted) {
        break;
      }
    }
    return decisions;
  }

  private decisionOn(charge: Charge, there: RateLimitDecision | null): RateLimitDecision {
    const { category, key } = charge;
    if (there?.admitted === false) {
      return refusal(there.resetMs, this.waitMs(charge));
    }
    if (there === null) {
      this.#degraded.inc({ category });
    }
    return stricter(there, this.limiterOf(category).alone.spend(key, this.clock.monotonic()));
  }

  /** Null when Redis does not answer. */
  private async askShared(
    charges: readonly Charge[],
    question: LookupQuestion | null,
    lookedUp?: Charge,
  ): Promise<WindowAnswer | null> {
    const now = this.clock.monotonic();
    if (now < this.#aloneUntilMs) {
      return null;
    }
    const windows = charges.map((charge) => this.windowOf(charge, 1));
    if (lookedUp) {
      windows.push(this.windowOf(lookedUp, 0));
    }
    try {
      return await this.#shared.ask(windows, now, question);
    } catch {
      this.#aloneUntilMs = this.clock.monotonic() + PAUSE_MS;
      return null;
    }
  }

  private windowOf(charge: Charge, cost: 0 | 1): WindowCharge {
    return { policy: this.policyOf(charge.category), key: nameOf(charge), cost };
  }

  private waitMs({ category, key }: Charge): number {
    return this.limiterOf(category).alone.waitMs(key, this.clock.monotonic());
  }

  private limiterOf(category: RateCategory): Limiter {
    const limiter = this.#limiters.get(category);
    if (!limiter) {
      throw new Error(`No rate limit "${category}".`);
    }
    return limiter;
  }
}

/** Names the window of a caller. */
function nameOf({ category, key }: Charge): string {
  return `${category}:${key}`;
}

/** A process alone has no bucket: the burst is part of its limit. */
function withBurst(policy: RateLimitPolicy): Pick<RateLimitPolicy, 'limit' | 'windowMs'> {
  return { limit: quotaOf(policy), windowMs: policy.windowMs };
}

/**
 * What Redis admitted may still be too much for what this process saw while Redis was away, or admitted at that moment. It
 * has taken its place in Redis then, which may have been the last one; so have the charges that were asked about with it.
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

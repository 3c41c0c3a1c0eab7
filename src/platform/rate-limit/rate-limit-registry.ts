import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppConfig } from '../../config/app-config.js';
import { parseRateLimit, type RateLimitPolicy, rateLimitVariable, scaleRateLimit } from '../../config/rate-limit.js';
import type { RateCategory } from '../../contracts/rate-limits.js';

/** One category of rate limit. */
export interface RateLimitCategory {
  /** What it counts: for `.env.example`. */
  readonly description: string;
  /** Where `RATE_LIMIT_<NAME>` sets no other: `100/1m`, or with a burst `100/1m+20`. */
  readonly limit: string;
  /** Requests with the same key share the limit. Null: the limit does not concern this request. */
  readonly keyOf: (request: FastifyRequest) => string | null;
  /** It holds on every route, without `@RateLimit`. */
  readonly everywhere?: true;
  /** What is refused by its shape alone does not count; the limits that hold everywhere do. */
  readonly wellFormedOnly?: true;
  /** What repeats a request that was done, by its `Idempotency-Key`, does not count. */
  readonly repeatsAreFree?: true;
}

export type RateLimitCategories = Readonly<Record<string, RateLimitCategory>>;

/** Every category of rate limit, each registered by its owner through `RateLimitModule.forFeature`. */
@Injectable()
export class RateLimitRegistry {
  readonly #categories = new Map<string, RateLimitCategory>();

  constructor(private readonly config: AppConfig) {}

  /** @throws when a category is registered already. */
  register(categories: RateLimitCategories): void {
    for (const [name, category] of Object.entries(categories)) {
      if (this.#categories.has(name)) {
        throw new Error(`The rate limit "${name}" is registered twice.`);
      }
      this.#categories.set(name, category);
    }
  }

  has(name: string): boolean {
    return this.#categories.has(name);
  }

  /** In the order of registration: those of the platform first. */
  all(): RateLimitCategories {
    return Object.fromEntries(this.#categories);
  }

  /** @throws when its owner did not register it. */
  get(name: RateCategory): RateLimitCategory {
    const category = this.#categories.get(name);
    if (!category) {
      throw new Error(`No rate limit "${name}": its feature registers one with RateLimitModule.forFeature.`);
    }
    return category;
  }

  /** The limit that the environment sets, or the default of the category, times `RATE_LIMIT_SCALE`. */
  policyOf(name: RateCategory): RateLimitPolicy {
    const limit = this.config.rateLimitOverrides[name] ?? parseRateLimit(this.get(name).limit);
    return scaleRateLimit(limit, this.config.rateLimitScale);
  }

  /** Variables that set the limit of a category that does not exist. */
  unknownVariables(): readonly string[] {
    return Object.keys(this.config.rateLimitOverrides)
      .filter((name) => !this.has(name))
      .map(rateLimitVariable);
  }
}

import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ThrottlerGuard, type ThrottlerOptions } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { quotaOf } from '../../config/rate-limit.js';
import type { RateCategory } from '../../contracts/rate-limits.js';
import { ipKey } from '../http/client-address.js';
import { AbuseDetector } from './abuse-detector.js';
import { IpRateLimiter } from './ip-rate-limiter.js';
import type { InvalidRequestError } from '../http/validation/validation.js';
import { faultOfBody } from '../http/validation/well-formed.js';
import { type LookupQuestion, LookupRegistry } from './lookup-registry.js';
import { anonymousKey, isDriveBy, personOf } from './platform-rate-limits.js';
import { announceLimit } from './rate-limit-headers.js';
import { RateLimitRegistry } from './rate-limit-registry.js';
import { RateLimitStorage } from './rate-limit-storage.js';
import { RATE_LIMITS } from './rate-limit.decorator.js';
import { RateLimitedError } from './rate-limit.errors.js';
import type { Charge } from './rate-limiter.js';
import type { RateLimitDecision } from './sliding-window.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Why its body will be refused: it was not charged. */
    bodyFault?: InvalidRequestError;
  }
}

/**
 * Applies the limits that depend on the user. It runs after the guard that authenticates the request. A route names its limits by
 * `@RateLimit`; the decorators of the throttler are not read.
 */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  readonly #throttlers: ThrottlerOptions[];
  /** Charges that were not asked about yet. */
  readonly #collected = new WeakMap<FastifyRequest, Charge[]>();
  /** By handler and class: they never change, and the base class would read six metadata of each category for every request. */
  readonly #throttlersOf = new WeakMap<object, WeakMap<object, readonly ThrottlerOptions[]>>();

  constructor(
    // The base class injects the options and the storage of its own module at these two places.
    @Inject(RateLimitRegistry) private readonly registry: RateLimitRegistry,
    @Inject(RateLimitStorage) private readonly storage: RateLimitStorage,
    reflector: Reflector,
    private readonly abuse: AbuseDetector,
    private readonly ips: IpRateLimiter,
    private readonly lookups: LookupRegistry,
  ) {
    const throttlers: ThrottlerOptions[] = [];
    super(throttlers, storage, reflector);
    this.#throttlers = throttlers;
  }

  /** Features register their categories while the application is built, which may be after this guard was. */
  override async onModuleInit(): Promise<void> {
    const categories = Object.keys(this.registry.all()) as RateCategory[];
    this.#throttlers.push(...categories.map((category) => this.throttlerOf(category)));
    await super.onModuleInit();
  }

  /**
   * What was not charged because its body is malformed is refused here, when every other limit has counted it: whatever changes
   * the body afterwards, its password is not judged.
   */
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') {
      // Messages of devices and sockets are counted where they arrive.
      return true;
    }
    try {
      for (const throttler of this.throttlersOf(context)) {
        await this.collect(context, throttler.name as RateCategory);
      }
    } catch (error) {
      // It could not be told which further limits hold: those count that are known.
      await this.chargeCollected(context, null);
      throw error;
    }
    const { bodyFault } = context.switchToHttp().getRequest<FastifyRequest>();
    await this.chargeCollected(context, bodyFault ? null : this.lookups.questionOf(context));
    if (bodyFault) {
      throw bodyFault;
    }
    return true;
  }

  /** Collects the charge, if the limit concerns this request; all of them are one question. */
  private async collect(context: ExecutionContext, category: RateCategory): Promise<void> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { keyOf, wellFormedOnly, repeatsAreFree } = this.registry.get(category);
    const key = keyOf(request);
    if (key === null) {
      return;
    }
    const charges = this.collectedOf(request);
    if (charges.some((charge) => this.storage.isSpent(charge))) {
      // For a request that is refused anyway, nothing more is found out.
      await this.chargeCollected(context, null);
    }
    if (repeatsAreFree && (await request.isRepeat?.())) {
      return;
    }
    const fault = wellFormedOnly ? await faultOfBody(context) : null;
    if (!fault) {
      charges.push({ category, key });
      return;
    }
    request.bodyFault = fault;
    if (request.provenAs !== undefined) {
      // Its proof kept it from the limit of its address, which must not leave it without any.
      charges.push({ category: 'anonymous', key: anonymousKey(ipKey(request), request) });
    }
  }

  private collectedOf(request: FastifyRequest): Charge[] {
    const collected = this.#collected.get(request) ?? [];
    this.#collected.set(request, collected);
    return collected;
  }

  /** In one question to Redis, with what the request looks up there. @throws RateLimitedError */
  private async chargeCollected(context: ExecutionContext, question: LookupQuestion | null): Promise<void> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const charges = this.collectedOf(request).splice(0);
    const { decisions, lookup } = await this.storage.incrementAll(charges, question);
    for (const [index, { category }] of charges.entries()) {
      const decision = decisions[index];
      if (decision) {
        this.apply(context, category, decision);
      }
    }
    if (lookup) {
      request.lookup = lookup;
    }
  }

  /** @throws RateLimitedError */
  private apply(context: ExecutionContext, category: RateCategory, decision: RateLimitDecision): void {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const policy = this.registry.policyOf(category);
    announceLimit(context.switchToHttp().getResponse<FastifyReply>(), category, policy, decision);
    request.settledAsAnonymous ||= category === 'anonymous';
    if (personOf(request) === null && request.provenAs === undefined && !isDriveBy(request)) {
      this.abuse.note(ipKey(request), category, decision.admitted);
    }
    if (!decision.admitted) {
      throw new RateLimitedError(category, policy, decision.resetMs);
    }
    if (category === 'user') {
      this.ips.settle(request);
    }
  }

  private throttlerOf(category: RateCategory): ThrottlerOptions {
    const policy = this.registry.policyOf(category);
    return { name: category, limit: quotaOf(policy), ttl: policy.windowMs };
  }

  /** Those that hold on the route, in the order of their windows. */
  private throttlersOf(context: ExecutionContext): readonly ThrottlerOptions[] {
    const [handler, type] = [context.getHandler(), context.getClass()];
    const ofHandler = this.#throttlersOf.get(handler) ?? new WeakMap<object, readonly ThrottlerOptions[]>();
    this.#throttlersOf.set(handler, ofHandler);
    const known = ofHandler.get(type);
    if (known) {
      return known;
    }
    const named = this.reflector.getAllAndOverride<readonly string[] | undefined>(RATE_LIMITS, [handler, type]) ?? [];
    const found = this.throttlers.filter(
      ({ name = '' }) => this.registry.get(name as RateCategory).everywhere ?? named.includes(name),
    );
    ofHandler.set(type, found);
    return found;
  }
}

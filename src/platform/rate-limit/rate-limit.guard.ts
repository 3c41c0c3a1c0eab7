import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ThrottlerGuard, type ThrottlerOptions, type ThrottlerRequest } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { quotaOf } from '../../config/rate-limit.js';
import type { RateCategory } from '../../contracts/rate-limits.js';
import { ipKey } from '../http/client-address.js';
import { AbuseDetector } from './abuse-detector.js';
import { IpRateLimiter } from './ip-rate-limiter.js';
import type { InvalidRequestError } from '../http/validation/validation.js';
import { faultOfBody } from '../http/validation/well-formed.js';
import { anonymousKey, isDriveBy, personOf } from './platform-rate-limits.js';
import { announceLimit } from './rate-limit-headers.js';
import { RateLimitRegistry } from './rate-limit-registry.js';
import { RateLimitStorage } from './rate-limit-storage.js';
import { RATE_LIMITS, type RouteCategory } from './rate-limit.decorator.js';
import { RateLimitedError } from './rate-limit.errors.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Why its body will be refused: it was not charged. */
    bodyFault?: InvalidRequestError;
  }
}

/** Applies the limits that depend on the user. It runs after the guard that authenticates the request. */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  readonly #throttlers: ThrottlerOptions[];

  constructor(
    // The base class injects the options and the storage of its own module at these two places.
    @Inject(RateLimitRegistry) private readonly registry: RateLimitRegistry,
    @Inject(RateLimitStorage) storage: RateLimitStorage,
    reflector: Reflector,
    private readonly abuse: AbuseDetector,
    private readonly ips: IpRateLimiter,
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

  /** Messages of devices and sockets are counted where they arrive. */
  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    return Promise.resolve(context.getType() !== 'http');
  }

  /**
   * What was not charged because its body is malformed is refused here, when every other limit has counted it: whatever changes
   * the body afterwards, its password is not judged.
   */
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const isAdmitted = await super.canActivate(context);
    const { bodyFault } = context.getType() === 'http' ? context.switchToHttp().getRequest<FastifyRequest>() : {};
    if (bodyFault) {
      throw bodyFault;
    }
    return isAdmitted;
  }

  protected override async handleRequest(asked: ThrottlerRequest): Promise<boolean> {
    const { context } = asked;
    const category = asked.throttler.name as RateCategory;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { wellFormedOnly, repeatsAreFree } = this.registry.get(category);
    if (repeatsAreFree && (await request.isRepeat?.())) {
      return true;
    }
    const fault = wellFormedOnly ? await faultOfBody(context) : null;
    if (fault) {
      request.bodyFault = fault;
      // Its proof kept it from the limit of its address, which must not leave it without any.
      return request.provenAs === undefined || this.charge('anonymous', anonymousKey(ipKey(request), request), context);
    }
    return this.charge(category, await asked.getTracker(request, context), context);
  }

  /** @throws RateLimitedError */
  private async charge(category: RateCategory, key: string, context: ExecutionContext): Promise<true> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const policy = this.registry.policyOf(category);
    const limit = quotaOf(policy);
    const record = await this.storageService.increment(key, policy.windowMs, limit, 0, category);
    const verdict = { admitted: !record.isBlocked, remaining: limit - record.totalHits, resetMs: record.timeToExpire };
    announceLimit(context.switchToHttp().getResponse<FastifyReply>(), category, policy, verdict);
    request.settledAsAnonymous ||= category === 'anonymous';
    if (personOf(request) === null && request.provenAs === undefined && !isDriveBy(request)) {
      this.abuse.note(ipKey(request), category, verdict.admitted);
    }
    if (!verdict.admitted) {
      throw new RateLimitedError(category, policy, verdict.resetMs);
    }
    if (category === 'user') {
      this.ips.settle(request);
    }
    return true;
  }

  private throttlerOf(category: RateCategory): ThrottlerOptions {
    const { keyOf, everywhere } = this.registry.get(category);
    const policy = this.registry.policyOf(category);
    return {
      name: category,
      limit: quotaOf(policy),
      ttl: policy.windowMs,
      skipIf: (context) =>
        !(everywhere ?? this.isNamedBy(context, category)) ||
        keyOf(context.switchToHttp().getRequest<FastifyRequest>()) === null,
      getTracker: (request) => keyOf(request as FastifyRequest) ?? '',
    };
  }

  private isNamedBy(context: ExecutionContext, category: RateCategory): boolean {
    const targets = [context.getHandler(), context.getClass()];
    const named = this.reflector.getAllAndOverride<readonly RouteCategory[] | undefined>(RATE_LIMITS, targets);
    return named?.some((name) => name === category) ?? false;
  }
}

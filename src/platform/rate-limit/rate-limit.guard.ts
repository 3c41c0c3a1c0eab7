import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  ThrottlerGuard,
  type ThrottlerModuleOptions,
  type ThrottlerRequest,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RateCategory } from '../../config/app-config.js';
import { ipKey } from '../http/client-address.js';
import { RateLimitedError } from './rate-limit.errors.js';
import { announceLimit } from './rate-limit-headers.js';
import { AbuseDetector } from './abuse-detector.js';

/** Applies the limits that need to know who asks; it comes after the guard that finds that out. */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    private readonly rows: AbuseDetector,
  ) {
    super(options, storage, reflector);
  }

  /** A device's and a socket's messages are counted where they come in. */
  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    return Promise.resolve(context.getType() !== 'http');
  }

  protected override async handleRequest(asked: ThrottlerRequest): Promise<boolean> {
    const { context, limit, ttl: windowMs, blockDuration } = asked;
    const category = asked.throttler.name as RateCategory;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const key = await asked.getTracker(request, context);
    const record = await this.storageService.increment(key, windowMs, limit, blockDuration, category);
    const policy = { limit, windowMs, burst: 0 };
    const verdict = { admitted: !record.isBlocked, remaining: limit - record.totalHits, resetMs: record.timeToExpire };
    announceLimit(context.switchToHttp().getResponse<FastifyReply>(), category, policy, verdict);
    request.settledAsAnonymous ||= category === 'anonymous';
    this.rows.note(ipKey(request), category, verdict.admitted);
    if (!verdict.admitted) {
      throw new RateLimitedError(category, policy, verdict.resetMs);
    }
    return true;
  }
}

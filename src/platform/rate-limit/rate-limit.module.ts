import { type ExecutionContext, Global, Module } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ThrottlerModule, type ThrottlerOptions } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { AppConfig, type RateCategory } from '../../config/app-config.js';
import { IpRateLimiter } from './ip-rate-limiter.js';
import { BlockedIpStore } from './blocked-ip-store.js';
import { BlockedIpsRepository } from './blocked-ips.repository.js';
import { LIMIT_KEYS } from './limit-keys.js';
import { RateLimitStorage } from './rate-limit-storage.js';
import { RATE_LIMITS, type RouteCategory } from './rate-limit.decorator.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { RateLimiter } from './rate-limiter.js';
import { AbuseDetector } from './abuse-detector.js';
import { SocketRateLimiter } from './socket-rate-limiter.js';

const EVERYWHERE: readonly RateCategory[] = ['anonymous', 'user'];

@Global()
@Module({ providers: [RateLimiter, RateLimitStorage], exports: [RateLimiter, RateLimitStorage] })
class LimitersModule {}

function throttlerOf(category: RateCategory, config: AppConfig, reflector: Reflector): ThrottlerOptions {
  const keyOf = LIMIT_KEYS[category];
  const concerns = (context: ExecutionContext): boolean =>
    EVERYWHERE.includes(category) ||
    (
      reflector.getAllAndOverride<readonly RouteCategory[] | undefined>(RATE_LIMITS, [
        context.getHandler(),
        context.getClass(),
      ]) ?? []
    ).some((name) => name === category);
  const { limit, windowMs } = config.rateLimits[category];
  return {
    name: category,
    limit,
    ttl: windowMs,
    skipIf: (context) => !concerns(context) || keyOf(context.switchToHttp().getRequest<FastifyRequest>()) === null,
    getTracker: (request) => keyOf(request as FastifyRequest) ?? '',
  };
}

/** Rate limits: by address at the gates of HTTP and sockets, by person and category in the guard. */
@Global()
@Module({
  imports: [
    LimitersModule,
    ThrottlerModule.forRootAsync({
      inject: [AppConfig, Reflector, RateLimitStorage],
      useFactory: (config: AppConfig, reflector: Reflector, storage: RateLimitStorage) => ({
        storage,
        throttlers: Object.keys(config.rateLimits).map((name) => throttlerOf(name as RateCategory, config, reflector)),
      }),
    }),
  ],
  providers: [BlockedIpsRepository, BlockedIpStore, AbuseDetector, IpRateLimiter, SocketRateLimiter, RateLimitGuard],
  exports: [LimitersModule, BlockedIpStore, IpRateLimiter, SocketRateLimiter, RateLimitGuard],
})
export class RateLimitModule {}

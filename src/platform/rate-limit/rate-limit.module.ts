import { type DynamicModule, Global, Module } from '@nestjs/common';
import { FeatureRegistrationModule } from '../roles/feature-registration.module.js';
import { purgeRule } from '../scheduling/purge-registry.js';
import { AbuseDetector } from './abuse-detector.js';
import { BlockedIpStore } from './blocked-ip-store.js';
import { BlockedIpsRepository } from './blocked-ips.repository.js';
import { ConnectionLimiter } from './connection-limiter.js';
import { IpRateLimiter } from './ip-rate-limiter.js';
import { LookupRegistry } from './lookup-registry.js';
import { PLATFORM_RATE_LIMITS } from './platform-rate-limits.js';
import { type RateLimitCategories, RateLimitRegistry } from './rate-limit-registry.js';
import { RateLimitStorage } from './rate-limit-storage.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { RateLimiter } from './rate-limiter.js';
import { RequestProofRegistry } from './request-proof-registry.js';
import { SocketRateLimiter } from './socket-rate-limiter.js';

/** Blocks of addresses that were over a day ago. */
const BLOCKED_ADDRESSES_PURGE = purgeRule({
  name: 'purge_blocked_addresses',
  tables: ['blocked_addresses'],
  keptFor: 86_400_000,
  from: [BlockedIpsRepository],
  purge: ({ limit, keptMs }, blocks) => blocks.purge(limit, keptMs),
});

/** Rate limits: of anonymous requests by IP address before any work is done for them, by user and category in the guard. */
@Global()
@Module({
  imports: [FeatureRegistrationModule.with(RateLimitRegistry, PLATFORM_RATE_LIMITS)],
  providers: [
    RateLimitRegistry,
    LookupRegistry,
    RateLimiter,
    RateLimitStorage,
    BlockedIpsRepository,
    BLOCKED_ADDRESSES_PURGE,
    BlockedIpStore,
    AbuseDetector,
    ConnectionLimiter,
    RequestProofRegistry,
    IpRateLimiter,
    SocketRateLimiter,
    RateLimitGuard,
  ],
  exports: [
    RateLimitRegistry,
    LookupRegistry,
    RateLimiter,
    BlockedIpStore,
    ConnectionLimiter,
    RequestProofRegistry,
    IpRateLimiter,
    SocketRateLimiter,
    RateLimitGuard,
  ],
})
export class RateLimitModule {
  /** Registers the categories of a feature. */
  static forFeature(categories: RateLimitCategories): DynamicModule {
    return FeatureRegistrationModule.with(RateLimitRegistry, categories);
  }
}

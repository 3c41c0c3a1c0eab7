import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppConfig } from '../../../config/app-config.js';
import { type RateLimitPolicy, scaleRateLimit } from '../../../config/rate-limit.js';
import { Clock } from '../../../shared/clock.js';
import { sha256 } from '../../crypto/digest.js';
import { networkKey, parseAddress, trustOf } from '../../http/client-address.js';
import { SlidingWindowStore } from '../../rate-limit/sliding-window-store.js';
import type { BucketPolicy } from './device-limits.js';
import { TokenBucketLimiter } from './token-bucket-limiter.js';

const MINUTE_MS = 60_000;
/**
 * One device that fails over and over, such as one with a token that was revoked, takes no more than this of its
 * neighbours'.
 */
const PER_DEVICE: RateLimitPolicy = { limit: 5, windowMs: MINUTE_MS, burst: 0 };
const PER_ADDRESS: RateLimitPolicy = { limit: 60, windowMs: MINUTE_MS, burst: 0 };
/** What is looked at beyond that, of devices that are not over their own limit: after a restart none is known yet. */
const BEYOND_ADDRESS = { perSecond: 2, burst: 20 } as const satisfies BucketPolicy;
const MAX_COUNTED = 10_000;
const MAX_KNOWN = 50_000;

/** One attempt to log in. */
export interface LoginAttempt {
  /** As the socket says; undefined when it is closed by now. */
  readonly address: string | undefined;
  readonly deviceId: string;
  readonly token: Buffer;
}

/**
 * Bounds failed logins of devices by address, and by device at an address: beyond the limit, attempts are refused without
 * asking the database. Credentials that were good before are always looked at, so that a stranger behind the same address
 * keeps no device out, and of others a few. Behind a trusted proxy are many addresses, so it is no address itself.
 */
@Injectable()
export class FailedLoginLimiter {
  readonly #isProxy: (address: string) => boolean;
  readonly #ofDevices: SlidingWindowStore;
  readonly #ofAddresses: SlidingWindowStore;
  readonly #beyondAddress: TokenBucketLimiter;
  /** Until when attempts with this key are refused. */
  readonly #refusedUntil = new LRUCache<string, number>({ max: MAX_COUNTED });
  /** Hashes of credentials that were good. */
  readonly #known = new LRUCache<string, true>({ max: MAX_KNOWN });

  constructor(
    { http, rateLimitScale }: AppConfig,
    private readonly clock: Clock,
  ) {
    this.#isProxy = trustOf(http.trustedProxies);
    this.#ofDevices = new SlidingWindowStore(scaleRateLimit(PER_DEVICE, rateLimitScale), MAX_COUNTED);
    this.#ofAddresses = new SlidingWindowStore(scaleRateLimit(PER_ADDRESS, rateLimitScale), MAX_COUNTED);
    const { perSecond, burst } = BEYOND_ADDRESS;
    this.#beyondAddress = new TokenBucketLimiter(
      { perSecond: perSecond * rateLimitScale, burst: burst * rateLimitScale },
      () => clock.monotonic(),
    );
  }

  /** Counts what is looked at although its address is over the limit. */
  isRefused(attempt: LoginAttempt): boolean {
    const { device, address } = this.keysOf(attempt);
    if (this.#known.has(credentialsOf(attempt))) {
      return false;
    }
    return this.isOver(device) || (this.isOver(address) && !this.#beyondAddress.take(address));
  }

  /** What one device fails beyond its own limit is not counted against its address. */
  failed(attempt: LoginAttempt): void {
    const { device, address, isProxy } = this.keysOf(attempt);
    this.#known.delete(credentialsOf(attempt));
    if (this.count(this.#ofDevices, device) && !isProxy) {
      this.count(this.#ofAddresses, address);
    }
  }

  succeeded(attempt: LoginAttempt): void {
    this.#known.set(credentialsOf(attempt), true);
  }

  private isOver(key: string): boolean {
    return (this.#refusedUntil.get(key) ?? 0) > this.clock.monotonic();
  }

  /** @returns whether that was within the limit. */
  private count(failures: SlidingWindowStore, key: string): boolean {
    const now = this.clock.monotonic();
    const { admitted, resetMs, remaining } = failures.spend(key, now);
    if (remaining === 0) {
      this.#refusedUntil.set(key, now + resetMs);
    }
    return admitted;
  }

  private keysOf({ address, deviceId }: LoginAttempt): { device: string; address: string; isProxy: boolean } {
    const ip = parseAddress(address ?? '') ?? 'unknown';
    const network = networkKey(ip);
    return { device: `${network} ${deviceId}`, address: network, isProxy: this.#isProxy(ip) };
  }
}

function credentialsOf({ deviceId, token }: LoginAttempt): string {
  return sha256(Buffer.concat([Buffer.from(`${deviceId} `), token])).toString('base64');
}

import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import type { RateCategory } from '../../contracts/rate-limits.js';
import { clientIps, networkKey } from '../http/client-address.js';
import { BlockedIpStore } from './blocked-ip-store.js';
import { RateLimitedError } from './rate-limit.errors.js';
import { RateLimiter } from './rate-limiter.js';
import { AbuseDetector } from './abuse-detector.js';

/**
 * The limits of HTTP, for sockets, which do not pass through Fastify: a blocked IP address cannot connect, a failed
 * handshake counts as anonymous, and a message counts like a request of its user.
 */
@Injectable()
export class SocketRateLimiter {
  readonly #ipOf: (request: IncomingMessage) => string;

  constructor(
    config: AppConfig,
    private readonly limits: RateLimiter,
    private readonly blocked: BlockedIpStore,
    private readonly abuse: AbuseDetector,
  ) {
    const ipOf = clientIps(config.http.trustedProxies);
    this.#ipOf = (request) => networkKey(ipOf(request));
  }

  isBlocked(request: IncomingMessage): boolean {
    return this.blocked.remainingMs(this.#ipOf(request)) > 0;
  }

  /** Counts a handshake without a user. @throws RateLimitedError when that was one too many. */
  countStranger(request: IncomingMessage): Promise<void> {
    return this.count(request, 'anonymous', this.#ipOf(request));
  }

  /** Counts a handshake or a message of a user. @throws RateLimitedError */
  countPerson(request: IncomingMessage, userId: string): Promise<void> {
    return this.count(request, 'user', userId);
  }

  private async count(request: IncomingMessage, category: RateCategory, key: string): Promise<void> {
    const verdict = await this.limits.spend(category, key);
    this.abuse.note(this.#ipOf(request), category, verdict.admitted);
    if (!verdict.admitted) {
      throw new RateLimitedError(category, this.limits.policyOf(category), verdict.resetMs);
    }
  }
}

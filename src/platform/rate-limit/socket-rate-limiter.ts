import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import type { RateCategory } from '../../contracts/rate-limits.js';
import { clientAddressReader, networkKey } from '../http/client-address.js';
import { AbuseDetector } from './abuse-detector.js';
import { BlockedIpStore } from './blocked-ip-store.js';
import { ConnectionLimiter } from './connection-limiter.js';
import { anonymousKey, isDriveBy } from './platform-rate-limits.js';
import { IpBlockedError, RateLimitedError } from './rate-limit.errors.js';
import { RateLimiter } from './rate-limiter.js';

/**
 * The limits of HTTP, for sockets, which do not pass through Fastify: connections that wait for their handshake are bounded, a
 * failed handshake counts as anonymous, which a blocked address may not be, and a message counts like a request of its user.
 */
@Injectable()
export class SocketRateLimiter {
  readonly #ipOf: (request: IncomingMessage) => string;

  constructor(
    config: AppConfig,
    private readonly limits: RateLimiter,
    private readonly blocked: BlockedIpStore,
    private readonly abuse: AbuseDetector,
    private readonly connections: ConnectionLimiter,
  ) {
    const ipOf = clientAddressReader(config.http);
    this.#ipOf = (request) => networkKey(ipOf(request));
  }

  /** By which a client is counted. */
  addressOf(request: IncomingMessage): string {
    return this.#ipOf(request);
  }

  /** A new connection waits for its handshake from now on; it was one of HTTP until now. */
  open(connection: { readonly request: IncomingMessage }, close: () => void): void {
    const { request } = connection;
    this.connections.settle(request.socket);
    this.connections.open(connection, { transport: 'socket', address: this.#ipOf(request), close });
  }

  /** Its handshake has arrived, and waits for us until it is settled or released. */
  hold(connection: object): void {
    this.connections.hold(connection);
  }

  /** Its handshake was refused. */
  release(connection: object): void {
    this.connections.release(connection);
  }

  /** Its user is known and within the limits, or it is over. */
  settle(connection: object): void {
    this.connections.settle(connection);
  }

  /** Counts a handshake without a user. @throws IpBlockedError; RateLimitedError when that was one too many */
  async countStranger(request: IncomingMessage): Promise<void> {
    const ip = this.#ipOf(request);
    const blockedMs = this.blocked.remainingMs(ip);
    if (blockedMs > 0) {
      throw new IpBlockedError(blockedMs);
    }
    const refusal = await this.spend('anonymous', anonymousKey(ip, request));
    if (!isDriveBy(request)) {
      this.abuse.note(ip, 'anonymous', refusal === null);
    }
    if (refusal) {
      throw refusal;
    }
  }

  /** Counts a handshake or a message of a user. @throws RateLimitedError */
  countPerson(userId: string): Promise<void> {
    return this.count('user', userId);
  }

  /** Counts what a person asks for among the same over HTTP. @throws RateLimitedError */
  async count(category: RateCategory, key: string): Promise<void> {
    const refusal = await this.spend(category, key);
    if (refusal) {
      throw refusal;
    }
  }

  private async spend(category: RateCategory, key: string): Promise<RateLimitedError | null> {
    const { admitted, resetMs } = await this.limits.spend(category, key);
    return admitted ? null : new RateLimitedError(category, this.limits.policyOf(category), resetMs);
  }
}

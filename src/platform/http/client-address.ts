import { isIP } from 'node:net';
import { normalizeIp } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';

/**
 * Under what an address is counted: IPv4 as it is, IPv6 by its /64, which one household or server has to itself.
 * Fastify believes `X-Forwarded-For` only from the configured proxies; should one of them pass on what is no address,
 * the proxy itself is counted.
 */
export function addressKey({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  return networkKey(isIP(ip) === 0 ? (socket.remoteAddress ?? 'unknown') : ip);
}

/** The same for an address that is known already. */
export function networkKey(address: string): string {
  return normalizeIp(address);
}

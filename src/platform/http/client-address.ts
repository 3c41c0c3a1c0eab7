import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import { normalizeIp } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';

/**
 * The key that an IP address is counted by: IPv4 as it is, IPv6 by its /64, which one site or server has to itself.
 * Fastify believes `X-Forwarded-For` only from the configured proxies; should one of them pass on what is no address,
 * the proxy itself is counted.
 */
export function ipKey({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  return networkKey(isIP(ip) === 0 ? (socket.remoteAddress ?? 'unknown') : ip);
}

/** The IP address of the client of a request that did not come through Fastify, by Fastify's own rule. */
export function clientIps(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const trust = trustedProxies.length > 0 ? proxyAddr.compile([...trustedProxies]) : () => false;
  return (request) => {
    const ip = proxyAddr(request, trust);
    return isIP(ip) === 0 ? (request.socket.remoteAddress ?? 'unknown') : ip;
  };
}

/** The same for an IP address that is known already. */
export function networkKey(ip: string): string {
  return normalizeIp(ip);
}

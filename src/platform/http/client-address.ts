import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6, type Socket, SocketAddress } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import { normalizeIp } from '@nestjs/throttler';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AppConfig } from '../../config/app-config.js';

/** What an address is called where its connection is gone already, or was never one of the internet. */
const UNKNOWN = 'unknown';
/** `192.0.2.7:443`, `[2001:db8::1]:443`, `[2001:db8::1]`; a port may be hidden behind a name (RFC 7239, section 6). */
const IPV4_WITH_PORT = /^([\d.]+):[\w.-]+$/;
const BRACKETED = /^\[([^\]]+)\](?::[\w.-]+)?$/;
const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;
/** IPv4 behind NAT64 (RFC 6052) and in translated form (RFC 2765): all of it would share one /64. */
const TRANSLATED_IPV4 = /^(?:64:ff9b::|::ffff:0:)([\da-f]+:[\da-f]+)$/;
/** Of IPv6, as lists of blocked addresses spell it. */
const NETWORK_SUFFIX = /(?<=:.*)\/64$/;
/**
 * A pair of an element of `Forwarded`: its value is a token or a quoted string. A name is tried from its beginning only: from
 * each of its letters, that would take time with the square of the length.
 */
const FORWARDED_PAIR = /(?<![\w-])([\w-]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;"]*))/g;
/** More proxies than any installation has: what stands before them was made up. */
const MAX_HOPS = 20;

/** The key that the other end of a connection is counted by; undefined for a trusted proxy, and when it is gone. */
export type PeerKeyReader = (socket: Pick<Socket, 'remoteAddress'>) => string | undefined;

/** Reads the address of the client of a request. */
export type ClientAddressReader = (request: IncomingMessage) => string;

/**
 * One spelling of one address, from whatever a proxy or a socket writes: with a port, in brackets or quotes, in upper case,
 * with a zone, IPv4 inside of IPv6. Null for what is no address, such as `unknown` and `_hidden` of RFC 7239.
 */
export function parseAddress(text: string): string | null {
  const bare = text.trim().replace(/^"(.*)"$/, '$1');
  const [, host = bare] = BRACKETED.exec(bare) ?? IPV4_WITH_PORT.exec(bare) ?? [];
  if (isIPv4(host)) {
    return host;
  }
  // A zone means something on one machine alone (RFC 4007, section 11).
  const [address = ''] = host.split('%', 1);
  if (!isIPv6(address)) {
    return null;
  }
  const canonical = spellIpv6(spellIpv6(address).replace(TRANSLATED_IPV4, '::ffff:$1'));
  return MAPPED_IPV4.exec(canonical)?.[1] ?? canonical;
}

function spellIpv6(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

/**
 * Who a request comes from: the other end of the connection, unless that is a trusted proxy; then whom that proxy names, and
 * so on. Only one header is believed, because a proxy leaves alone what a client wrote into the other one. A hop that is no
 * address ends the walk: the proxy that wrote it is counted.
 */
export function clientAddressReader({
  trustedProxies,
  forwardedHeader,
}: Pick<AppConfig['http'], 'trustedProxies' | 'forwardedHeader'>): ClientAddressReader {
  const isTrusted = trustOf(trustedProxies);
  const hopsOf = forwardedHeader === 'forwarded' ? forwardedHops : xForwardedForHops;
  return ({ socket, headers }) => {
    let client = parseAddress(socket.remoteAddress ?? '') ?? UNKNOWN;
    if (!isTrusted(client)) {
      return client;
    }
    for (const hop of hopsOf(String(headers[forwardedHeader] ?? '')).reverse()) {
      const address = parseAddress(hop);
      if (address === null) {
        return client;
      }
      client = address;
      if (!isTrusted(client)) {
        return client;
      }
    }
    return client;
  };
}

/** Whether an address is one of our own proxies. */
export function trustOf(trustedProxies: readonly string[]): (address: string) => boolean {
  const isTrusted = trustedProxies.length > 0 ? proxyAddr.compile([...trustedProxies]) : () => false;
  return (address) => address !== UNKNOWN && isTrusted(address, 0);
}

/** For connections on which no header tells more: one of a trusted proxy stands for many addresses, and so for none. */
export function peerKeyReader({ trustedProxies }: Pick<AppConfig['http'], 'trustedProxies'>): PeerKeyReader {
  const isTrusted = trustOf(trustedProxies);
  return ({ remoteAddress }) => {
    const peer = parseAddress(remoteAddress ?? '');
    return peer === null || isTrusted(peer) ? undefined : networkKey(peer);
  };
}

/** `request.ip` is what our reader says, everywhere. Call it before any other hook is added. */
export function readClientAddresses(fastify: FastifyInstance, addressOf: ClientAddressReader): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    Object.defineProperty(request, 'ip', { value: addressOf(request.raw) });
    done();
  });
}

/** The key that the address of a request is counted by. */
export function ipKey({ ip }: Pick<FastifyRequest, 'ip'>): string {
  return networkKey(ip);
}

/** The key that an address is counted by: IPv4 as it is, IPv6 by its /64, which one site or server has to itself. */
export function networkKey(ip: string): string {
  return normalizeIp(ip);
}

/** The key of an address or of a /64 in whatever spelling. Null for what is neither. */
export function parseNetworkKey(text: string): string | null {
  const address = parseAddress(text.replace(NETWORK_SUFFIX, ''));
  return address === null ? null : networkKey(address);
}

function xForwardedForHops(header: string): string[] {
  return header.split(',').slice(-MAX_HOPS);
}

/** RFC 7239. An element without `for` says of its client only that there is one. */
function forwardedHops(header: string): string[] {
  return elementsOf(header).map((element) => {
    const pairs = [...element.matchAll(FORWARDED_PAIR)];
    const [, , quoted, token = UNKNOWN] = pairs.find(([, name = '']) => name.toLowerCase() === 'for') ?? [];
    return quoted ?? token;
  });
}

/**
 * The last elements of a list. It is read from its end, which our proxies wrote: a quote that a client left open further ahead
 * takes none of it in.
 */
function elementsOf(header: string): string[] {
  const elements: string[] = [];
  let isQuoted = false;
  let end = header.length;
  for (let at = header.length - 1; at >= 0 && elements.length < MAX_HOPS; at -= 1) {
    if (header[at] === '"' && header[at - 1] !== '\\') {
      isQuoted = !isQuoted;
    } else if (header[at] === ',' && !isQuoted) {
      elements.unshift(header.slice(at + 1, end));
      end = at;
    }
  }
  return elements.length < MAX_HOPS ? [header.slice(0, end), ...elements] : elements;
}

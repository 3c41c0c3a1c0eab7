import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

const MAX_LENGTH = 2_048;
/** Names that mean this machine or its network, wherever they are asked: RFC 6761, 6762, 8375, and ICANN's `internal`. */
const LOCAL_SUFFIX = /(?:^|\.)(?:localhost|local|internal|home\.arpa)$/;
/** Addresses of IPv4 within IPv6 that the network delivers to that of IPv4: RFC 4291 and RFC 6052. */
const TRANSLATED: readonly [ipaddr.IPv6, number][] = [
  [ipaddr.IPv6.parse('::ffff:0:0'), 96],
  [ipaddr.IPv6.parse('64:ff9b::'), 96],
];
/** What IANA has given out of IPv6 for unicast. Everything else there is reserved, or not routed. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];
const ISATAP = 0x5efe;

const FAULTS = {
  not_a_url:
    'The address must be a URL such as https://example.com/hooks, without blanks, backslashes and line breaks.',
  too_long: `The address must not have more than ${String(MAX_LENGTH)} characters.`,
  scheme: 'The address must begin with https://.',
  credentials: 'The address must not hold a user name or a password.',
  fragment: 'The address must not have a part after #: it is never sent.',
  port: 'The port must be one from 1 to 65535.',
  local_name: 'The host must have a public name, such as example.com.',
  address_not_allowed: 'The host must have a public address.',
} as const;

/** What is wrong with an address that a user gave. */
export type OutboundUrlFault = keyof typeof FAULTS;

/** An address that may be called, as far as it can be known before its name is looked up. */
export interface OutboundUrl {
  /** In the one spelling that is called. */
  readonly href: string;
  readonly origin: string;
  /** A name, or an address without brackets. */
  readonly host: string;
}

export interface RefusedOutboundUrl {
  readonly fault: OutboundUrlFault;
  /** For the user. */
  readonly message: string;
}

/**
 * Judges an address that a user gave. That of a name is judged once more when it is connected to, because its owner may
 * change it at any time.
 * @param allowed networks that are called although they are not public, as CIDR ranges
 */
export function judgeUrl(text: string, allowed: readonly string[]): OutboundUrl | RefusedOutboundUrl {
  const url = urlOf(text);
  const fault = url === null ? formFaultOf(text) : (partFaultOf(url, text) ?? hostFaultOf(url, allowed));
  if (url === null || fault !== null) {
    const refused = fault ?? 'not_a_url';
    return { fault: refused, message: FAULTS[refused] };
  }
  return { href: url.href, origin: url.origin, host: hostOf(url) };
}

/**
 * Whether a socket may be opened to addresses that a host has: all of them public or allowed. One that is not says that the name is
 * not meant for the public, or that its owner tries to reach inside.
 */
export function mayConnect(
  { protocol, host }: { readonly protocol: string; readonly host: string },
  addresses: readonly string[],
  allowed: readonly string[],
): boolean {
  const onlyAllowed = protocol !== 'https:' || isLocalName(host);
  return addresses.every((address) => isAllowed(address, allowed) || (!onlyAllowed && isPublic(address)));
}

/** WHATWG's parser writes each host in one way: numbers of any base as four of them, wide letters as narrow ones. */
function urlOf(text: string): URL | null {
  if (text.length > MAX_LENGTH || !/^https?:\/\/[^/]/i.test(text) || /[\s\\\p{Cc}]/u.test(text)) {
    return null;
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  // A name is the same with the dot of the root, and certificates are without it.
  if (url?.hostname.endsWith('.')) {
    url.hostname = url.hostname.slice(0, -1);
  }
  return url;
}

function formFaultOf(text: string): OutboundUrlFault {
  if (text.length > MAX_LENGTH) {
    return 'too_long';
  }
  return /^[a-z][a-z\d+.-]*:/i.test(text) && !/^https?:/i.test(text) ? 'scheme' : 'not_a_url';
}

function partFaultOf(url: URL, text: string): OutboundUrlFault | null {
  if (url.href.length > MAX_LENGTH) {
    return 'too_long';
  }
  if (url.username !== '' || url.password !== '') {
    return 'credentials';
  }
  if (text.includes('#')) {
    return 'fragment';
  }
  // Each other one may be a receiver's: what it gets is TLS, which no server of another protocol takes for its own.
  return url.port === '0' ? 'port' : null;
}

function hostFaultOf(url: URL, allowed: readonly string[]): OutboundUrlFault | null {
  const host = hostOf(url);
  if (isIP(host) !== 0) {
    return mayConnect({ protocol: url.protocol, host }, [host], allowed) ? null : literalFaultOf(url, host);
  }
  if (host.split('.').includes('')) {
    return 'not_a_url';
  }
  // With networks that are allowed, these may have a name there: its addresses tell.
  if (allowed.length > 0) {
    return null;
  }
  return isLocalName(host) ? 'local_name' : url.protocol === 'https:' ? null : 'scheme';
}

function literalFaultOf({ protocol }: URL, host: string): OutboundUrlFault {
  return protocol !== 'https:' && isPublic(host) ? 'scheme' : 'address_not_allowed';
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function isLocalName(host: string): boolean {
  return isIP(host) === 0 && (!host.includes('.') || LOCAL_SUFFIX.test(host));
}

function isAllowed(text: string, allowed: readonly string[]): boolean {
  const address = addressOf(text);
  return address !== null && allowed.some((range) => isWithin(address, range));
}

function isWithin(address: Address, range: string): boolean {
  const [network, prefix] = ipaddr.parseCIDR(range);
  const translated = network.kind() === 'ipv6' && prefix >= 96;
  const base = translated ? delivered(network) : network;
  const bits = base.kind() === network.kind() ? prefix : prefix - 96;
  return base.kind() === address.kind() && address.match(base, bits);
}

function isPublic(text: string): boolean {
  const address = addressOf(text);
  if (address?.range() !== 'unicast') {
    return false;
  }
  if (isIPv4(address)) {
    return true;
  }
  const [, , , , high = 0, low = 0] = address.parts;
  // ISATAP (RFC 5214) has an address of IPv4 in its last four bytes, below any prefix.
  return address.match(GLOBAL_UNICAST) && !((high === 0 || high === 0x200) && low === ISATAP);
}

/** Null for what is no address, or is one of a certain network card. */
function addressOf(text: string): Address | null {
  return isIP(text) !== 0 && !text.includes('%') ? delivered(ipaddr.parse(text)) : null;
}

/** The address that packets to this one arrive at. */
function delivered(address: Address): Address {
  if (isIPv4(address) || !TRANSLATED.some((range) => address.match(range))) {
    return address;
  }
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

function isIPv4(address: Address): address is ipaddr.IPv4 {
  return address.kind() === 'ipv4';
}

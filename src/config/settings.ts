import { isIP } from 'node:net';

/** How one environment variable is read. A parser throws an Error whose message says what would be right. */
export interface Setting<T> {
  readonly variable: string;
  readonly description: string;
  readonly example: string;
  /** Printed as `[redacted]`, never in logs or errors. */
  readonly secret?: boolean;
  readonly parse: (raw: string) => T;
  /** Used when the variable is unset; without it, the variable is required. */
  readonly fallback?: T;
}

export const text = (raw: string): string => raw;

export function integer(min: number, max: number): (raw: string) => number {
  return (raw) => {
    const value = Number(raw);
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new Error(`must be a whole number from ${String(min)} to ${String(max)}`);
    }
    return value;
  };
}

export function oneOf<const T extends string>(...allowed: readonly T[]): (raw: string) => T {
  return (raw) => {
    const value = allowed.find((candidate) => candidate === raw);
    if (value === undefined) {
      throw new Error(`must be one of ${allowed.join(', ')}`);
    }
    return value;
  };
}

export function setOf<const T extends string>(...allowed: readonly T[]): (raw: string) => readonly T[] {
  const parseOne = oneOf(...allowed);
  return (raw) => [...new Set(raw.split(',').map((part) => parseOne(part.trim())))];
}

export function url(...protocols: readonly string[]): (raw: string) => string {
  return (raw) => {
    const parsed = URL.canParse(raw) ? new URL(raw) : null;
    if (!parsed || !protocols.includes(parsed.protocol.slice(0, -1))) {
      throw new Error(`must be a URL that starts with ${protocols.map((name) => `${name}://`).join(' or ')}`);
    }
    return raw;
  };
}

/** Seconds, or a number with `ms`, `s`, `m`, `h` or `d`; the result is in milliseconds. */
export function duration(raw: string): number {
  const match = /^(\d+)(ms|s|m|h|d)?$/.exec(raw);
  const scale = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? 's'];
  if (!match || scale === undefined) {
    throw new Error('must be a duration such as 900, 15m, 7d');
  }
  return Number(match[1]) * scale;
}

/** A duration from `least` to `most`, both written as one. */
export function durationFrom(least: string, most?: string): (raw: string) => number {
  const [min, max] = [duration(least), most === undefined ? Infinity : duration(most)];
  return (raw) => {
    const value = duration(raw);
    if (value < min || value > max) {
      throw new Error(`must be a duration of at least ${least}${most === undefined ? '' : ` and at most ${most}`}`);
    }
    return value;
  };
}

/** 32 bytes in base64, such as `openssl rand -base64 32` prints. */
export function key256(raw: string): Buffer {
  const key = Buffer.from(raw, 'base64');
  if (key.length !== 32) {
    throw new Error('must be 32 bytes in base64: openssl rand -base64 32');
  }
  return key;
}

/** Above zero. */
export function factor(raw: string): number {
  const value = Number(raw);
  if (raw.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new Error('must be a number above 0');
  }
  return value;
}

/** Separated by commas; empty for none. */
export function listOf<T>(parse: (raw: string) => T): (raw: string) => readonly T[] {
  return (raw) =>
    raw
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(parse);
}

/** A shorter one would be a part of the internet that nobody owns, and two halves are all of it. */
function shortestPrefix(address: string): number {
  // Every address of IPv4 is one of IPv6, too: ::ffff:0:0/96.
  const isMapped = /^(?:0{0,4}:){2,5}(?:ffff|0{0,4}):/i.test(address);
  return isIP(address) === 4 ? 8 : isMapped ? 104 : 7;
}

/** Addresses with their prefix, and never all of them: neither a name, nor a number of hops, nor `true`. */
export function cidr(raw: string): string {
  const [address = '', prefix = '', ...rest] = raw.split('/');
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  const isPrefix = /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) >= shortestPrefix(address) && Number(prefix) <= bits;
  if (!isPrefix || address.includes('%') || rest.length > 0) {
    throw new Error(
      'must be addresses with their prefix, such as 10.0.0.0/8, 192.0.2.7/32, fd00::/8, and no shorter one',
    );
  }
  return raw;
}

/** What a browser sends as `Origin`: scheme, host and port, nothing else. */
export function origin(raw: string): string {
  if (!/^https?:[^*]+$/.test(raw) || !URL.canParse(raw) || new URL(raw).origin !== raw) {
    throw new Error('must be origins such as https://app.example.com, without a path or a wildcard');
  }
  return raw;
}

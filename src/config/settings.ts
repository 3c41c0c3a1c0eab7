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

/** 32 bytes in base64, such as `openssl rand -base64 32` prints. */
export function key256(raw: string): Buffer {
  const key = Buffer.from(raw, 'base64');
  if (key.length !== 32) {
    throw new Error('must be 32 bytes in base64: openssl rand -base64 32');
  }
  return key;
}

import { z } from 'zod';
import { cspFault } from './content-security-policy.js';

/** Pages that are developed on the machine of their developer, on whatever port. */
const LOOPBACK_ORIGINS = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\]):\*$/;

/** How a setting is explained, in `.env.example` and in errors. */
export interface SettingDoc {
  readonly description: string;
  readonly example: string;
  /** Printed as `[redacted]`, never in logs or errors. */
  readonly secret?: boolean;
  /** A file that holds it may have several lines. */
  readonly hasLines?: boolean;
}

/** What is known of each setting beside its type. */
export const DOCS = z.registry<SettingDoc>();

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(\d+)(ms|s|m|h|d)?$/;

export function integer(min: number, max: number): z.ZodType<number, string> {
  const error = `must be a whole number from ${String(min)} to ${String(max)}`;
  return z.coerce.number<string>({ error }).int({ error }).min(min, { error }).max(max, { error });
}

export function oneOf<const T extends string>(...allowed: readonly T[]): z.ZodType<T, string> {
  return z.enum(allowed, { error: `must be one of ${allowed.join(', ')}` });
}

export function url(...protocols: readonly string[]): z.ZodType<string, string> {
  return z.url({
    protocol: new RegExp(`^(?:${protocols.join('|')})$`),
    error: `must be a URL that starts with ${protocols.map((name) => `${name}://`).join(' or ')}`,
  });
}

/** Where the API of a provider is: a plain connection leads to this machine alone. A path is put behind it. */
export function providerUrl(): z.ZodType<string, string> {
  const error = 'must be an https:// address without a query';
  return url('http', 'https')
    .refine(
      (text) => {
        const { protocol, hostname, search, hash, username } = new URL(text);
        const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
        return (protocol === 'https:' || isHere) && `${search}${hash}${username}` === '';
      },
      { error },
    )
    .transform((text) => text.replace(/\/+$/, ''));
}

/** Which settings of a group have no value, although others of it have. */
export function missingBeside<V extends string>(
  settings: Readonly<Partial<Record<V, unknown>>>,
  group: readonly V[],
): readonly V[] {
  const missing = group.filter((name) => settings[name] === null);
  return missing.length < group.length ? missing : [];
}

/** Of a text that is known to be a duration. */
export function milliseconds(text: string): number {
  const [, amount, unit = 's'] = DURATION.exec(text) ?? [];
  return Number(amount) * (UNITS[unit] ?? NaN);
}

/** Seconds, or a number with `ms`, `s`, `m`, `h` or `d`; the result is in milliseconds. */
export function duration(): z.ZodType<number, string> {
  return z.string().regex(DURATION, { error: 'must be a duration such as 900, 15m, 7d' }).transform(milliseconds);
}

/** A duration from `least` to `most`, both written as one. */
export function durationFrom(least: string, most?: string): z.ZodType<number, string> {
  const [min, max] = [milliseconds(least), most === undefined ? Infinity : milliseconds(most)];
  return duration().refine((value) => value >= min && value <= max, {
    error: `must be a duration of at least ${least}${most === undefined ? '' : ` and at most ${most}`}`,
  });
}

/** 32 bytes in base64, such as `openssl rand -base64 32` prints. */
export function key256(): z.ZodType<Buffer, string> {
  return z
    .string()
    .transform((text) => Buffer.from(text, 'base64'))
    .refine((key) => key.length === 32, { error: 'must be 32 bytes in base64: openssl rand -base64 32' });
}

/** Above zero. */
export function factor(): z.ZodType<number, string> {
  const error = 'must be a number above 0';
  return z.string().trim().min(1, { error }).pipe(z.coerce.number<string>({ error }).positive({ error }));
}

/** Separated by commas; empty for none. */
export function listOf<T extends string>(item: z.ZodType<T, string>): z.ZodType<readonly T[], string> {
  return z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item));
}

/** As `listOf`, with at least one, and each of them once. */
export function setOf<T extends string>(item: z.ZodType<T, string>): z.ZodType<readonly T[], string> {
  return z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item))
    .transform((parts) => [...new Set(parts)]);
}

/** A shorter one would be a part of the internet that has no single owner, and two halves are all of it. */
function shortestPrefix(address: string): number {
  // Every address of IPv4 is one of IPv6, too: ::ffff:0:0/96.
  const isMapped = /^(?:0{0,4}:){2,5}(?:ffff|0{0,4}):/i.test(address);
  return address.includes(':') ? (isMapped ? 104 : 7) : 8;
}

/** Addresses with their prefix, and never all of them: neither a name, nor a number of hops, nor `true`. */
export function cidr(): z.ZodType<string, string> {
  const error = 'must be addresses with their prefix, such as 10.0.0.0/8, 192.0.2.7/32, fd00::/8, and no shorter one';
  return z.union([z.cidrv4(), z.cidrv6()], { error }).refine(
    (range) => {
      const [address = '', prefix] = range.split('/');
      return Number(prefix) >= shortestPrefix(address);
    },
    { error },
  );
}

/** What a browser sends as `Origin`: scheme, host and port, nothing else. */
export function origin(): z.ZodType<string, string> {
  return z.string().refine((text) => LOOPBACK_ORIGINS.test(text) || (/^https?:[^*]+$/.test(text) && isOrigin(text)), {
    error:
      'must be origins such as https://app.example.com, without a path or a wildcard; http://localhost:* is every port of this machine',
  });
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

export function contentSecurityPolicy(): z.ZodType<string, string> {
  return z.string().superRefine((text, context) => {
    const fault = cspFault(text);
    if (fault !== null) {
      context.addIssue({ code: 'custom', message: fault });
    }
  });
}

import { createPublicKey, type KeyObject } from 'node:crypto';
import { decodeBase64Url } from './base64url.js';
import { isObject } from './strict-json.js';

/** Public keys by `kid`. A Map, so that no `kid` can name something inherited. */
export type OrderKeys = ReadonlyMap<string, KeyObject>;

export class UnusableKeysError extends Error {
  override readonly name = 'UnusableKeysError';
}

const MAX_KEYS = 16;
/** `alg` and `use` may be left out, but may not say anything else. */
const SERVES = [
  { member: 'kty', value: 'OKP', otherwise: undefined },
  { member: 'crv', value: 'Ed25519', otherwise: undefined },
  { member: 'alg', value: 'EdDSA', otherwise: 'EdDSA' },
  { member: 'use', value: 'sig', otherwise: 'sig' },
] as const;

/**
 * Keys of a JWK set (RFC 7517, RFC 8037). One doubtful key spoils the set, and the lock keeps what it has: a set that
 * is half understood could be half forged.
 */
export function readOrderKeys(set: unknown): OrderKeys {
  if (!isObject(set) || !Array.isArray(set.keys) || set.keys.length === 0 || set.keys.length > MAX_KEYS) {
    throw new UnusableKeysError(`Expected {"keys": [...]} with 1 to ${String(MAX_KEYS)} keys.`);
  }
  const keys = new Map<string, KeyObject>();
  for (const jwk of set.keys) {
    const { kid, x } = publicParts(jwk);
    if (keys.has(kid)) {
      throw new UnusableKeysError(`Two keys are called ${JSON.stringify(kid)}.`);
    }
    keys.set(kid, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }));
  }
  return keys;
}

function publicParts(jwk: unknown): { kid: string; x: string } {
  if (!isObject(jwk)) {
    throw new UnusableKeysError('A key is no object.');
  }
  const { kid, x } = jwk;
  if (typeof kid !== 'string' || kid.length === 0 || kid.length > 128) {
    throw new UnusableKeysError('A key has no `kid` of 1 to 128 characters.');
  }
  const serves = SERVES.every(({ member, value, otherwise }) => (jwk[member] ?? otherwise) === value);
  if (!serves || typeof x !== 'string' || !decodeBase64Url(x, 32)) {
    throw new UnusableKeysError(`Key ${JSON.stringify(kid)} is no Ed25519 key for signatures.`);
  }
  if (Object.hasOwn(jwk, 'd')) {
    throw new UnusableKeysError(
      `Key ${JSON.stringify(kid)} comes with its private half: every reader could sign with it.`,
    );
  }
  return { kid, x };
}

import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import { decrypt, encrypt } from '../crypto/encryption.js';

/** What a key signs. */
export const KEY_PURPOSES = ['access_token', 'order'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

/** JWA names (RFC 7518, RFC 8037). */
export type SigningAlgorithm = 'RS256' | 'EdDSA';

/** `next` is published before it signs, `active` signs, `passive` still verifies, `retired` is only remembered. */
export type KeyState = 'next' | 'active' | 'passive' | 'retired';

/** The public half as we serve it (RFC 7517); `kid` is its RFC 7638 thumbprint. */
export interface PublicJwk {
  readonly kty: string;
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly use: 'sig';
  /** RSA modulus. */
  readonly n?: string;
  /** RSA exponent. */
  readonly e?: string;
  /** Curve of an Ed25519 key. */
  readonly crv?: string;
  /** Public point of an Ed25519 key. */
  readonly x?: string;
}

/** What an administrator sees of a key. */
export interface KeyRecord {
  readonly kid: string;
  readonly purpose: KeyPurpose;
  readonly algorithm: SigningAlgorithm;
  readonly state: KeyState;
  readonly createdAt: Date;
  /** When it entered its state. */
  readonly changedAt: Date;
}

/** A key as it is kept: its private half only under seal. */
export interface StoredKey {
  readonly kid: string;
  readonly purpose: KeyPurpose;
  readonly algorithm: SigningAlgorithm;
  readonly publicJwk: PublicJwk;
  readonly sealedPrivate: Uint8Array<ArrayBuffer>;
  readonly state: KeyState;
}

const RSA_BITS = 3_072;

const generateRsa = promisify(generateKeyPair) as (
  type: 'rsa',
  options: { modulusLength: number },
) => Promise<{ publicKey: KeyObject; privateKey: KeyObject }>;
const generateEd25519 = promisify(generateKeyPair) as (
  type: 'ed25519',
  options: undefined,
) => Promise<{ publicKey: KeyObject; privateKey: KeyObject }>;

/** What new keys of a purpose are: locks know Ed25519 only. */
export function algorithmOf(purpose: KeyPurpose, forTokens: SigningAlgorithm): SigningAlgorithm {
  return purpose === 'order' ? 'EdDSA' : forTokens;
}

/** Makes a key pair off the main thread: RSA takes up to a second. */
export async function generateSigningKey(
  { purpose, algorithm, state }: Pick<StoredKey, 'purpose' | 'algorithm' | 'state'>,
  encryptionKey: Buffer,
): Promise<StoredKey> {
  const pair =
    algorithm === 'RS256'
      ? await generateRsa('rsa', { modulusLength: RSA_BITS })
      : await generateEd25519('ed25519', undefined);
  const { kty, n, e, crv, x } = pair.publicKey.export({ format: 'jwk' });
  const bare = { kty: kty ?? '', ...(n && e ? { n, e } : {}), ...(crv && x ? { crv, x } : {}) };
  const kid = await calculateJwkThumbprint(bare);
  return {
    kid,
    purpose,
    algorithm,
    publicJwk: { ...bare, kid, alg: algorithm, use: 'sig' },
    sealedPrivate: new Uint8Array(
      encrypt(encryptionKey, pair.privateKey.export({ format: 'der', type: 'pkcs8' }), aadOf(kid)),
    ),
    state,
  };
}

export function openPrivateKey(stored: StoredKey, encryptionKey: Buffer): KeyObject {
  const der = decrypt(encryptionKey, stored.sealedPrivate, aadOf(stored.kid));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

export function openPublicKey(stored: StoredKey): KeyObject {
  return createPublicKey({ key: { ...stored.publicJwk }, format: 'jwk' });
}

function aadOf(kid: string): string {
  return `signing_keys.sealed_private.${kid}`;
}

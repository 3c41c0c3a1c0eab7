import { randomBytes } from 'node:crypto';
import { sha256 } from '../../../platform/crypto/digest.js';
import { readSecretCode, SECRET_CODE_LETTERS, secretCodeOf } from '../domain/secret-code.js';

/** A code for one use that people type, of 100 random bits; only its hash is kept. */
export function newSecretCode(): string {
  return secretCodeOf(randomBytes(SECRET_CODE_LETTERS));
}

/** What is stored of a code, and looked up. What is no code has a hash, too, which no code has: it is refused like a wrong one. */
export function hashSecretCode(typed: string): Buffer {
  return sha256(readSecretCode(typed) ?? `no code: ${typed}`);
}

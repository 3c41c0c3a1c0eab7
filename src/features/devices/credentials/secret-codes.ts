import { createHmac, randomBytes } from 'node:crypto';
import { equalInConstantTime, sha256 } from '../../../platform/crypto/digest.js';
import {
  readSecretCode,
  SECRET_CODE_BASE,
  SECRET_CODE_LETTERS,
  secretCodeBytes,
  secretCodeOf,
} from '../domain/secret-code.js';

/** A code for one use that people type, of 100 random bits; only its hash is kept. */
export function newSecretCode(): string {
  return secretCodeOf(randomBytes(SECRET_CODE_LETTERS));
}

/** The letters of a tagged code that are random; the others are its tag. */
const RANDOM_LETTERS = 12;

const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * The same, but 40 of its bits are a tag of the others, of the day, and of what the code is for: so this server tells, without the
 * database, which codes are its own. Who does not have the key sees 100 random bits.
 */
export function newTaggedCode(key: Buffer, purpose: string): string {
  return tagged(key, purposeOfDay(purpose, 0), randomBytes(RANDOM_LETTERS));
}

/** Whether a code was made for this, today or yesterday, whatever became of it since. */
export function isTaggedCode(key: Buffer, purpose: string, typed: string): boolean {
  const letters = readSecretCode(typed)?.replaceAll('-', '');
  if (letters === undefined) {
    return false;
  }
  const random = secretCodeBytes(letters).subarray(0, RANDOM_LETTERS);
  return [0, 1].some((daysAgo) => {
    const expected = tagged(key, purposeOfDay(purpose, daysAgo), random).replaceAll('-', '');
    return equalInConstantTime(Buffer.from(expected), Buffer.from(letters));
  });
}

/** With the day under its tag, a code that was replaced or has expired is not recognized for ever. */
function purposeOfDay(purpose: string, daysAgo: number): string {
  return `${purpose} ${String(Math.floor(Date.now() / DAY_MS) - daysAgo)}`;
}

function tagged(key: Buffer, purpose: string, random: Uint8Array): string {
  const bytes = Uint8Array.from(random, (byte) => byte % SECRET_CODE_BASE);
  const tag = createHmac('sha256', key).update(`${purpose} `).update(bytes).digest();
  return secretCodeOf(Buffer.concat([bytes, tag.subarray(0, SECRET_CODE_LETTERS - RANDOM_LETTERS)]));
}

/** What is stored of a code, and looked up. What is no code has a hash, too, which no code has: it is refused like a wrong one. */
export function hashSecretCode(typed: string): Buffer {
  return sha256(readSecretCode(typed) ?? `no code: ${typed}`);
}

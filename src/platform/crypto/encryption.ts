import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts and authenticates with AES-256-GCM.
 * @param place where the result will be kept (`table.column.row`): it opens nowhere else, so a sealed value that was
 * moved to another row is worthless.
 * @returns nonce, ciphertext, tag.
 */
export function seal(key: Buffer, plaintext: Buffer, place: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(place));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** @throws SealBrokenError when the key, the place or a single bit is not the one it was sealed with. */
export function unseal(key: Buffer, sealed: Uint8Array, place: string): Buffer {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const ciphertext = sealed.subarray(NONCE_BYTES, -TAG_BYTES);
  const tag = sealed.subarray(-TAG_BYTES);
  try {
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(place)).setAuthTag(tag);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch (error) {
    throw new SealBrokenError(place, { cause: error });
  }
}

/** A sealed value does not open: another master key, another place, or somebody changed it. */
export class SealBrokenError extends Error {
  constructor(place: string, options?: ErrorOptions) {
    super(`${place} cannot be opened: MASTER_KEY is not the one it was sealed with, or it was changed.`, options);
    this.name = 'SealBrokenError';
  }
}

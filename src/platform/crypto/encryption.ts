import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts and authenticates with AES-256-GCM.
 * @param aad additional authenticated data: where the result is stored (`table.column.row`). It only decrypts with the
 * same text, so a value that was moved to another row is worthless.
 * @returns nonce, ciphertext, tag.
 */
export function encrypt(key: Buffer, plaintext: Buffer, aad: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(aad));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** @throws DecryptionError when the key, the `aad` or a single bit differs from the encryption. */
export function decrypt(key: Buffer, encrypted: Uint8Array, aad: string): Buffer {
  const nonce = encrypted.subarray(0, NONCE_BYTES);
  const ciphertext = encrypted.subarray(NONCE_BYTES, -TAG_BYTES);
  const tag = encrypted.subarray(-TAG_BYTES);
  try {
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(aad)).setAuthTag(tag);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch (error) {
    throw new DecryptionError(aad, { cause: error });
  }
}

/** An encrypted value does not decrypt: another master key, another place, or it was changed. */
export class DecryptionError extends Error {
  constructor(aad: string, options?: ErrorOptions) {
    super(`${aad} cannot be decrypted: MASTER_KEY is not the one it was encrypted with, or it was changed.`, options);
    this.name = 'DecryptionError';
  }
}

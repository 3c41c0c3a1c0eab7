import { hkdfSync } from 'node:crypto';

/**
 * 256 bits for one use, by HKDF-SHA256 (RFC 5869) from the master key.
 * @param use such as `seal_mails`: each use has a name, and so a key, of its own. A name never changes, because what was
 * made with its key would be lost.
 */
export function deriveKey(masterKey: Buffer, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, '', `mortise/v1/${use}`, 32));
}

import { hkdfSync } from 'node:crypto';

/** What the master key is used for. Each use has a key of its own, so that none can stand in for another. */
export type KeyUse =
  | 'seal_private_keys'
  | 'derive_refresh_tokens'
  | 'seal_session_answers'
  | 'seal_mails'
  | 'sign_known_devices'
  | 'compare_requests'
  | 'hide_identifiers';

/** 256 bits for one use, by HKDF-SHA256 (RFC 5869) from the master key. */
export function deriveKey(masterKey: Buffer, use: KeyUse): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, '', `mortise/v1/${use}`, 32));
}

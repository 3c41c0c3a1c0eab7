import { sha256 } from '../../../platform/crypto/digest.js';
import { networkKey } from '../../../platform/http/client-address.js';
import type { RefreshingClient } from '../auth.types.js';

/** How a client that refreshes is known again: by its known device or, where it shows none, by where it came from. */
export interface ClientTraits {
  /** SHA-256 of the secret of the known device, if one was shown. */
  readonly deviceHash: Buffer | null;
  /** SHA-256 of address and user agent. */
  readonly origin: Buffer;
}

export function clientTraits({ ip, userAgent, knownDevice }: RefreshingClient): ClientTraits {
  return {
    deviceHash: knownDevice === undefined ? null : sha256(knownDevice),
    origin: sha256(JSON.stringify([ip === null ? null : networkKey(ip), userAgent])),
  };
}

import type { CommandName, CommandPayloads } from './commands.js';

/**
 * What a lock is asked to do. It travels as JSON *text* inside {@link SignedOrder}: the signature covers those exact
 * bytes, so no canonical form is needed.
 */
export interface Order<N extends CommandName = CommandName> {
  /** UUID. A lock answers a repeated id with the stored result and does not move again. */
  commandId: string;
  name: N;
  payload: CommandPayloads[N];
  /** UUID of the device it is for. */
  deviceId: string;
  /** The boot it is for; a lock that restarted since refuses it. */
  boot: string;
  /** Grows with every order for this device; a lock refuses one not above the last it accepted in this boot. */
  counter: number;
  /** Deadline on the lock's own uptime, in milliseconds: no wall clock is needed to keep it. */
  expiresAtUptimeMs: number;
  /** Wall-clock times (RFC 3339), for people and logs; a lock must not decide by them. */
  issuedAt: string;
  expiresAt: string;
}

/**
 * A lock whose clock is slower than ours by this fraction (crystals: 0.01 %, cheap RC oscillators: 1 %) still keeps the
 * deadline; a faster clock ends the time to act earlier.
 */
export const LOCK_CLOCK_TOLERANCE = 0.01;

/** What is published on the command topic, and emitted to a device socket. */
export interface SignedOrder {
  /** An {@link Order} as JSON text. */
  order: string;
  /** Which of the keys at `/.well-known/order-keys.json` signed it. */
  kid: string;
  /** Ed25519 (RFC 8032) over the UTF-8 bytes of `order`, in base64url (RFC 4648) without padding. */
  signature: string;
}

/** A public key that verifies orders: a JWK of type OKP (RFC 8037). */
export interface OrderKey {
  kty: 'OKP';
  crv: 'Ed25519';
  /** The 32 bytes of the public key, base64url. */
  x: string;
  kid: string;
  alg: 'EdDSA';
  use: 'sig';
}

/** RFC 7517, section 5. */
export interface OrderKeySet {
  keys: OrderKey[];
}

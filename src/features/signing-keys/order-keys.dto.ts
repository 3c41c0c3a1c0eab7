import type { OrderKey, OrderKeySet } from '../../contracts/orders.js';
import type { PublicJwk } from '../../platform/keys/key-store.js';

/** A public key that verifies orders (RFC 8037). */
export class OrderKeyDto implements OrderKey {
  /** @example OKP */
  kty!: 'OKP';

  /** @example Ed25519 */
  crv!: 'Ed25519';

  /**
   * The 32 bytes of the public key, base64url.
   * @example 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo
   */
  x!: string;

  /** @example kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k */
  kid!: string;

  /** @example EdDSA */
  alg!: 'EdDSA';

  /** @example sig */
  use!: 'sig';
}

/** RFC 7517, section 5. */
export class OrderKeySetDto implements OrderKeySet {
  keys!: OrderKeyDto[];
}

export function toOrderKeyDto({ kid, x }: PublicJwk): Readonly<OrderKeyDto> {
  if (x === undefined) {
    throw new Error(`The order key ${kid} is no Ed25519 key.`);
  }
  return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' };
}

import { createHash, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import type { OrderKey, SignedOrder } from '../../src/contracts/orders.js';

/** PKCS #8 around a 32-byte Ed25519 seed (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A signing key that is derived from its public id: for vectors and tests only. */
export class TestSigner {
  readonly publicJwk: OrderKey;
  readonly privateJwk: OrderKey & { d: string };
  readonly #key: KeyObject;

  constructor(readonly kid: string) {
    const seed = createHash('sha256').update(`Mortise test key ${kid}`).digest();
    this.#key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
    const { x = '', d = '' } = this.#key.export({ format: 'jwk' });
    this.publicJwk = { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' };
    this.privateJwk = { ...this.publicJwk, d };
  }

  signatureOf(order: string): Buffer {
    return sign(null, Buffer.from(order, 'utf8'), this.#key);
  }

  sign(order: string): SignedOrder {
    return { order, kid: this.kid, signature: this.signatureOf(order).toString('base64url') };
  }
}

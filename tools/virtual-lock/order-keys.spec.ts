import { describe, expect, it } from '@jest/globals';
import { readOrderKeys, UnusableKeysError } from './order-keys.js';
import { TestSigner } from './signer.js';

const { publicJwk, privateJwk } = new TestSigner('spec');

describe('a key set', () => {
  it('gives its keys by kid', () => {
    const second = new TestSigner('second').publicJwk;
    expect([...readOrderKeys({ keys: [publicJwk, second] }).keys()]).toEqual(['spec', 'second']);
  });

  it('may leave alg and use out', () => {
    const { kty, crv, x, kid } = publicJwk;
    expect(readOrderKeys({ keys: [{ kty, crv, x, kid }] }).size).toBe(1);
  });

  it.each<[string, unknown]>([
    ['is no object', []],
    ['has no keys', { keys: [] }],
    ['has too many keys', { keys: Array.from({ length: 17 }, (_, n) => new TestSigner(String(n)).publicJwk) }],
    ['names two keys alike', { keys: [publicJwk, { ...new TestSigner('x').publicJwk, kid: 'spec' }] }],
    ['holds a private key', { keys: [privateJwk] }],
    ['holds a key of another curve', { keys: [{ ...publicJwk, crv: 'X25519' }] }],
    ['holds a key for encryption', { keys: [{ ...publicJwk, use: 'enc' }] }],
    ['holds a key of another algorithm', { keys: [{ ...publicJwk, alg: 'ES256' }] }],
    ['holds a key of 31 bytes', { keys: [{ ...publicJwk, x: Buffer.alloc(31, 1).toString('base64url') }] }],
    ['holds a key in padded base64', { keys: [{ ...publicJwk, x: `${publicJwk.x}=` }] }],
    ['holds a key without a name', { keys: [{ ...publicJwk, kid: '' }] }],
    ['holds something else beside a good key', { keys: [publicJwk, null] }],
  ])('is refused whole when it %s', (_why, set) => {
    expect(() => readOrderKeys(set)).toThrow(UnusableKeysError);
  });
});

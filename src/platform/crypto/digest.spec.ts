import { describe, expect, it } from '@jest/globals';
import { equalInConstantTime, randomToken, sha256 } from './digest.js';

describe('sha256', () => {
  it('is the one of FIPS 180-4', () => {
    expect(sha256('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe('randomToken', () => {
  it('has 256 bits, and never the same ones', () => {
    const tokens = Array.from({ length: 100 }, () => randomToken());
    expect(new Set(tokens).size).toBe(100);
    expect(tokens.every((token) => /^[\w-]{43}$/.test(token))).toBe(true);
  });
});

describe('equalInConstantTime', () => {
  it.each([
    ['same', 'same', true],
    ['same', 'sane', false],
    ['short', 'longer', false],
  ])('of %s and %s is %s', (a, b, equal) => {
    expect(equalInConstantTime(Buffer.from(a), Buffer.from(b))).toBe(equal);
  });
});

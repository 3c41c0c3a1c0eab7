import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hasInexactNumber } from './exact-numbers.js';

const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

describe('hasInexactNumber', () => {
  it('is true of every integer that JSON.parse may have rounded, and of no smaller one', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 25n), 10n ** 25n), (integer) => {
        const isBeyond = integer > LARGEST || integer < -LARGEST;
        expect(hasInexactNumber(JSON.parse(`{"a":[${String(integer)}]}`))).toBe(isBeyond);
      }),
    );
  });

  it.each(['9007199254740992', '9007199254740993.0', '-9.007199254740993e15', '1e400', '[[{"a":1e16}]]'])(
    'is true of %s',
    (json) => {
      expect(hasInexactNumber(JSON.parse(json))).toBe(true);
    },
  );

  it.each(['9007199254740991', '-9007199254740991', '0.1234567890123456789', '"9007199254740993"', 'null', '{}'])(
    'is false of %s',
    (json) => {
      expect(hasInexactNumber(JSON.parse(json))).toBe(false);
    },
  );
});

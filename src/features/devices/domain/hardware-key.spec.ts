import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hardwareKey } from './hardware-key.js';

const letters = fc.array(fc.constantFrom(...Array.from('0123456789abcdefxyzABCDEFXYZ')), {
  minLength: 1,
  maxLength: 40,
});
const separators = fc.array(fc.constantFrom(':', '-', '.', '_', ' ', ''), { minLength: 41, maxLength: 41 });

describe('hardwareKey', () => {
  it('is one for all spellings of a number', () => {
    fc.assert(
      fc.property(letters, separators, separators, (number, some, others) => {
        const spell = (between: readonly string[], inCase: (text: string) => string): string =>
          inCase(number.map((letter, index) => `${between[index] ?? ''}${letter}`).join('')) + (between.at(-1) ?? '');
        expect(hardwareKey(spell(some, (text) => text.toLowerCase()))).toBe(
          hardwareKey(spell(others, (text) => text.toUpperCase())),
        );
      }),
    );
  });

  it('differs for numbers that differ in a letter or digit', () => {
    fc.assert(
      fc.property(letters, letters, (one, other) => {
        fc.pre(one.join('').toUpperCase() !== other.join('').toUpperCase());
        expect(hardwareKey(one.join('-'))).not.toBe(hardwareKey(other.join(':')));
      }),
    );
  });

  it('is its own key', () => {
    fc.assert(fc.property(fc.string(), (text) => hardwareKey(hardwareKey(text)) === hardwareKey(text)));
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readSecretCode, SECRET_CODE_LETTERS, secretCodeOf } from './secret-code.js';

const random = fc.uint8Array({ minLength: SECRET_CODE_LETTERS, maxLength: SECRET_CODE_LETTERS });
const LOOK_ALIKES: Readonly<Record<string, string>> = { '0': 'o', '1': 'l' };

describe('Codes that people type', () => {
  it('hold at least 80 bits: every letter of each place occurs', () => {
    const seen = Array.from({ length: SECRET_CODE_LETTERS }, () => new Set<string>());
    for (let value = 0; value < 32; value++) {
      Array.from(secretCodeOf(new Uint8Array(SECRET_CODE_LETTERS).fill(value)).replaceAll('-', '')).forEach(
        (letter, place) => {
          seen[place]?.add(letter);
        },
      );
    }
    expect(seen.reduce((bits, { size }) => bits + Math.log2(size), 0)).toBeGreaterThanOrEqual(80);
  });

  it('are read in any case and grouping, and with letters that look like digits', () => {
    fc.assert(
      fc.property(
        random,
        fc.array(fc.constantFrom('', ' ', '-', '\t'), { minLength: 24, maxLength: 24 }),
        (bytes, gaps) => {
          const code = secretCodeOf(bytes);
          const typed = Array.from(code.toLowerCase()).map(
            (letter, place) => `${gaps[place] ?? ''}${LOOK_ALIKES[letter] ?? letter}`,
          );
          expect(readSecretCode(typed.join(''))).toBe(code);
          expect(readSecretCode(code.replaceAll('1', 'I').replaceAll('-', ''))).toBe(code);
        },
      ),
    );
  });

  it('are not read from anything else', () => {
    fc.assert(
      fc.property(random, fc.constantFrom('U', 'ä', '!', '0', ''), (bytes, wrong) => {
        const code = secretCodeOf(bytes);
        expect(readSecretCode(wrong === '' ? code.slice(1) : code + wrong)).toBeNull();
      }),
    );
    expect([readSecretCode(''), readSecretCode('UUUU-UUUU-UUUU-UUUU-UUUU')]).toEqual([null, null]);
  });
});

import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { readSecretCode } from '../domain/secret-code.js';
import { isTaggedCode, newSecretCode, newTaggedCode } from './secret-codes.js';

const key = randomBytes(32);

describe('A tagged code', () => {
  it('is one that people type, and another one each time', () => {
    const codes = Array.from({ length: 500 }, () => newTaggedCode(key, 'a device'));
    expect(codes.filter((code) => readSecretCode(code) !== code)).toEqual([]);
    expect(new Set(codes).size).toBe(codes.length);
    // Its tag, too, has every letter of the alphabet at each place.
    const places = Array.from(
      { length: 20 },
      (_, place) => new Set(codes.map((code) => code.replaceAll('-', '')[place])),
    );
    expect(places.map(({ size }) => size)).toEqual(Array(20).fill(32));
  });

  it('is recognized however it is typed, for what it was made, with the key that made it', () => {
    const id = randomUUID();
    const code = newTaggedCode(key, id);
    const typed = ` ${code.toLowerCase().replaceAll('-', '').replaceAll('0', 'o')} `;
    expect([code, typed].map((each) => isTaggedCode(key, id, each))).toEqual([true, true]);
    expect([isTaggedCode(key, randomUUID(), code), isTaggedCode(randomBytes(32), id, code)]).toEqual([false, false]);
  });

  it('is recognized until the end of the next day, longer than any is valid', () => {
    const made = Date.UTC(2026, 10, 30, 23, 59, 59);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(made);
    const code = newTaggedCode(key, 'a device');
    const after = (hours: number): boolean => {
      clock.mockReturnValue(made + hours * 3_600_000);
      return isTaggedCode(key, 'a device', code);
    };
    expect([0, 24, 24.1, 1_000].map(after)).toEqual([true, true, false, false]);
    clock.mockRestore();
  });

  it('is none with a letter changed, and neither is a code without a tag, nor any other text', () => {
    const code = newTaggedCode(key, 'a device');
    const changed = Array.from(code, (letter, place) =>
      letter === '-' ? '' : code.slice(0, place) + (letter === '7' ? '8' : '7') + code.slice(place + 1),
    );
    for (const wrong of [...changed, newSecretCode(), '', 'x'.repeat(10_000)]) {
      expect(isTaggedCode(key, 'a device', wrong)).toBe(false);
    }
  });
});

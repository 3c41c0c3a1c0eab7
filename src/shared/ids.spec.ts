import { describe, expect, it } from '@jest/globals';
import { isUuid, newId } from './ids.js';

describe('newId', () => {
  it('is a UUID of version 7 and the variant of RFC 9562', () => {
    const id = newId();
    expect(isUuid(id)).toBe(true);
    expect(id).toMatch(/^.{14}7.{4}[89ab]/);
  });

  it('sorts by the time it was made', () => {
    const times = [0, 1, 255, 65_536, 1_763_661_600_000, 2 ** 48 - 1];
    const ids = times.map((time) => newId(time));
    expect([...ids].sort()).toEqual(ids);
  });

  it('is never the same, even in the same millisecond', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => newId(1))).size).toBe(1_000);
  });
});

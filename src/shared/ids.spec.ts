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

  it('sorts in the order of making, within a millisecond, too', () => {
    const ids = Array.from({ length: 10_000 }, () => newId());
    expect([...ids].sort()).toEqual(ids);
  });

  it('is never the same, even in the same millisecond', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => newId(1))).size).toBe(1_000);
  });
});

describe('isUuid', () => {
  it.each(['0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b', '0190A1B2-C3D4-4E5F-BA6B-7C8D9E0F1A2B'])('takes %s', (id) => {
    expect(isUuid(id)).toBe(true);
  });

  it.each(['', 'x', '0190a1b2c3d47e5f8a6b7c8d9e0f1a2b', '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b\n', 7, null])(
    'refuses %j',
    (id) => {
      expect(isUuid(id)).toBe(false);
    },
  );
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  CREATION_PARTS,
  type CursorPart,
  decodeCursor,
  encodeCursor,
  InvalidCursorError,
  isBigint,
  isStorableText,
} from './cursor.js';
import { isUuid } from './ids.js';

const id = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55';
const at = '2026-11-20T18:00:00.123Z';

function forged(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('a cursor', () => {
  it('decodes to the parts it was made of', () => {
    const text = fc.string({ unit: 'binary' }).filter(isStorableText);
    const time = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(text, time, fc.uuid(), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (name, date, uuid, number) => {
        const parts = [name, date.toISOString(), uuid, String(number)];
        const kinds = [isStorableText, ...CREATION_PARTS, isBigint];
        expect(decodeCursor('list', encodeCursor('list', parts), kinds)).toEqual(parts);
      }),
    );
  });

  it('is null when there is none', () => {
    expect(decodeCursor('list', undefined, CREATION_PARTS)).toBeNull();
  });

  it('is refused when it is any other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodeCursor('list', text, [])).toThrow(InvalidCursorError);
      }),
    );
  });

  it('is refused for another list or another order', () => {
    const cursor = encodeCursor('devices:name', ['x', id]);
    expect(decodeCursor('devices:name', cursor, [isStorableText, isUuid])).toEqual(['x', id]);
    expect(() => decodeCursor('devices:-name', cursor, [isStorableText, isUuid])).toThrow(InvalidCursorError);
  });

  it.each<[string, unknown, readonly CursorPart[]]>([
    ['without parts', ['list'], CREATION_PARTS],
    ['with too few parts', ['list', at], CREATION_PARTS],
    ['with too many parts', ['list', at, id, 'more'], CREATION_PARTS],
    ['with a number for a text', ['list', 7], [isStorableText]],
    ['that is an object', {}, []],
    ['that is null', null, []],
    ['with a time that is none', ['list', 'yesterday', id], CREATION_PARTS],
    ['with a time that PostgreSQL cannot read', ['list', '+275760-09-13T00:00:00.000Z', id], CREATION_PARTS],
    ['with a date without time', ['list', '2026-11-20', id], CREATION_PARTS],
    ['with an id that is no UUID', ['list', at, 'no-uuid'], CREATION_PARTS],
    ['with U+0000', ['list', 'a\0'], [isStorableText]],
    ['with half of a surrogate pair', ['list', 'a\ud800'], [isStorableText]],
    ['with a number beyond 63 bits', ['list', String(2n ** 63n)], [isBigint]],
    ['with a number that is negative', ['list', '-1'], [isBigint]],
    ['with a number that is not decimal', ['list', '1e3'], [isBigint]],
  ])('is refused when it is one %s', (_what, value, parts) => {
    expect(() => decodeCursor('list', forged(value), parts)).toThrow(InvalidCursorError);
  });
});

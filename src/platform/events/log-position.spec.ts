import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeLogCursor, encodeLogCursor, formatPosition, isAfter, LOG_START, parsePosition } from './log-position.js';

const GENERATION = '0195c3a2-0000-7000-8000-000000000001';
const position = fc.record({ xid: fc.bigInt(0n, 2n ** 64n - 1n), id: fc.bigInt(0n, 2n ** 63n - 1n) });

describe('a position in the log', () => {
  it('orders by transaction before it orders by id', () => {
    expect(isAfter({ xid: 2n, id: 1n }, { xid: 1n, id: 9n })).toBe(true);
    expect(isAfter({ xid: 1n, id: 9n }, { xid: 2n, id: 1n })).toBe(false);
    expect(isAfter({ xid: 1n, id: 2n }, { xid: 1n, id: 1n })).toBe(true);
    expect(isAfter({ xid: 1n, id: 1n }, { xid: 1n, id: 1n })).toBe(false);
    expect(isAfter({ xid: 1n, id: 1n }, LOG_START)).toBe(true);
  });

  it('orders any two positions one way only', () => {
    fc.assert(
      fc.property(position, position, (left, right) => {
        const same = left.xid === right.xid && left.id === right.id;
        expect(Number(isAfter(left, right)) + Number(isAfter(right, left))).toBe(same ? 0 : 1);
      }),
    );
  });

  it('survives being written down, beyond what a number can hold', () => {
    fc.assert(
      fc.property(position, (at) => {
        expect(parsePosition(formatPosition(at))).toEqual(at);
        expect(decodeLogCursor(GENERATION, encodeLogCursor(GENERATION, at))).toEqual(at);
      }),
    );
  });
});

describe('a cursor', () => {
  it('is refused when it is not one of ours, whatever it holds', () => {
    const forged = [
      '',
      'x',
      '....',
      `${GENERATION}.1`,
      `${GENERATION}.-1.2`,
      `${GENERATION}.1.2.3`,
      `${GENERATION}.1e3.2`,
    ];
    const tooLarge = [`${GENERATION}.${String(2n ** 64n)}.1`, `${GENERATION}.1.${String(2n ** 63n)}`];
    for (const text of [...forged, ...tooLarge]) {
      expect(() => decodeLogCursor(GENERATION, Buffer.from(text).toString('base64url'))).toThrow(
        'not one that this service',
      );
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodeLogCursor(GENERATION, text)).toThrow('not one that this service');
      }),
    );
  });

  it('is expired when it belongs to another generation of the log', () => {
    const old = encodeLogCursor('0195c3a2-0000-7000-8000-000000000000', { xid: 5n, id: 6n });
    expect(() => decodeLogCursor(GENERATION, old)).toThrow('earlier generation');
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodePosition, encodePosition } from './command-position.js';

describe('positions in the list of commands', () => {
  it('survive the way to the client and back', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2020-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
        fc.uuid(),
        (date, id) => {
          const position = { createdAt: date.toISOString(), id };
          expect(decodePosition(encodePosition(position))).toEqual(position);
        },
      ),
    );
  });

  it('are refused when they are none of ours', () => {
    const valid = '2026-11-20T18:00:00.000Z 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55';
    const encode = (text: string) => Buffer.from(text).toString('base64url');
    expect(decodePosition(encode(valid))).not.toBeNull();
    for (const text of [
      '',
      'x',
      '2026-11-20 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55',
      `${valid} more`,
      valid.slice(0, -1),
    ]) {
      expect(decodePosition(encode(text))).toBeNull();
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(decodePosition(text)).toBeNull();
      }),
    );
  });
});

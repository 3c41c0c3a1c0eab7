import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeDeviceCursor, encodeDeviceCursor } from './device-list-cursor.js';
import { InvalidDeviceCursorError } from './devices.errors.js';

const id = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55';

describe('The cursor of the device list', () => {
  it('comes back as it was given out', () => {
    fc.assert(
      fc.property(
        fc.string().filter((key) => !key.includes('\0') && key.isWellFormed()),
        (key) => {
          expect(decodeDeviceCursor('name', encodeDeviceCursor('name', { key, id }))).toEqual({ key, id });
        },
      ),
    );
  });

  it('is refused when it is anything else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodeDeviceCursor('name', text)).toThrow(InvalidDeviceCursorError);
      }),
    );
    const forged: unknown[] = [
      ['name', 'x', 'no-uuid'],
      ['name', 7, id],
      ['-name', 'x', id],
      ['name', 'a\0', id],
      {},
      null,
    ];
    forged.forEach((value) => {
      expect(() => decodeDeviceCursor('name', Buffer.from(JSON.stringify(value)).toString('base64url'))).toThrow(
        InvalidDeviceCursorError,
      );
    });
    expect(() => decodeDeviceCursor('createdAt', encodeDeviceCursor('createdAt', { key: 'yesterday', id }))).toThrow(
      InvalidDeviceCursorError,
    );
  });
});

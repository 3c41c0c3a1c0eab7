import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodePosition, encodePosition } from './list-position.js';
import { InvalidOrganizationCursorError } from './organizations.errors.js';

const id = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55';

describe('The cursor of lists of organizations', () => {
  it('comes back as it was given out', () => {
    const position = { createdAt: new Date('2026-11-20T18:00:00.123Z'), id };
    expect(decodePosition(encodePosition(position))).toEqual(position);
    expect(decodePosition(undefined)).toBeNull();
  });

  it('is refused when it is anything else', () => {
    const forged = [`yesterday ${id}`, '2026-11-20T18:00:00.123Z nobody', `2026-11-20T18:00:00.123Z ${id} more`];
    forged.forEach((text) => {
      expect(() => decodePosition(Buffer.from(text).toString('base64url'))).toThrow(InvalidOrganizationCursorError);
    });
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodePosition(text)).toThrow(InvalidOrganizationCursorError);
      }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { isInstant } from './instant.js';

describe('isInstant', () => {
  it.each(['1970-01-01T00:00:00.000Z', '2028-02-29T23:59:59.999Z', '9999-12-31T23:59:59.999Z'])('takes %s', (text) => {
    expect(isInstant(text)).toBe(true);
  });

  it.each([
    '',
    '-1',
    'Tue',
    '2026-11-20',
    '2026-11-20T18:00:00Z',
    '2026-11-20T18:00:00.000+00:00',
    '2026-02-30T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-11-20T24:00:00.000Z',
    '0000-01-01T00:00:00.000Z',
    '+275760-09-13T00:00:00.000Z',
  ])('refuses %j', (text) => {
    expect(isInstant(text)).toBe(false);
  });
});

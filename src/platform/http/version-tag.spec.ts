import { describe, expect, it } from '@jest/globals';
import { versionOf } from './version-tag.js';

describe('If-Match', () => {
  it.each([
    [undefined, undefined],
    ['*', undefined],
    ['"7"', 7],
    [' "7" ', 7],
  ])('%s names %s', (header, version) => {
    expect(versionOf(header)).toBe(version);
  });

  it.each(['7', 'W/"7"', '"x"', '"7", "8"', '"-1"', ''])('%s matches no version there is', (header) => {
    expect(versionOf(header)).toBe(-1);
  });
});

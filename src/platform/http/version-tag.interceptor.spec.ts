import { describe, expect, it } from '@jest/globals';
import { matches, versionOf } from './version-tag.interceptor.js';

describe('If-Match', () => {
  it.each([
    [undefined, undefined],
    ['*', undefined],
    ['"7"', 7],
    [' "7" ', 7],
    ['"7-x_9-Yz"', 7],
  ])('%s names %s', (header, version) => {
    expect(versionOf(header)).toBe(version);
  });

  it.each(['7', 'W/"7"', '"x"', '"7", "8"', '"-1"', ''])('%s matches no version there is', (header) => {
    expect(versionOf(header)).toBe(-1);
  });
});

describe('If-None-Match', () => {
  it.each(['"7-a"', 'W/"7-a"', '*', ' * ', '"1", "7-a"', 'W/"1",W/"7-a" , "9"'])('%s matches', (header) => {
    expect(matches(header, '"7-a"')).toBe(true);
  });

  it.each([undefined, '', '"7-b"', '7-a', '"7-a', '"1", "2"', 'W/"7"'])('%s does not match', (header) => {
    expect(matches(header, '"7-a"')).toBe(false);
  });
});

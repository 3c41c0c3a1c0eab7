import { describe, expect, it } from '@jest/globals';
import { matches } from './version-tag.interceptor.js';

describe('If-None-Match', () => {
  it.each(['"7-a"', 'W/"7-a"', '*', ' * ', '"1", "7-a"', 'W/"1",W/"7-a" , "9"'])('%s matches', (header) => {
    expect(matches(header, '"7-a"')).toBe(true);
  });

  it.each([undefined, '', '"7-b"', '7-a', '"7-a', '"1", "2"', 'W/"7"'])('%s does not match', (header) => {
    expect(matches(header, '"7-a"')).toBe(false);
  });
});

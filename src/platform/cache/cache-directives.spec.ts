import { describe, expect, it } from '@jest/globals';
import { directivesOf } from './cache-directives.js';

describe('Cache-Control of a request', () => {
  it.each([
    [undefined, { isBypassed: false, isNotStored: false }],
    ['no-cache', { isBypassed: false, isNotStored: false }],
    ['NO-STORE', { isBypassed: true, isNotStored: true }],
    ['max-age=0', { isBypassed: true, isNotStored: false, maxAgeMs: 0 }],
    ['only-if-cached, max-age = 20', { isBypassed: false, isNotStored: false, maxAgeMs: 20_000 }],
    ['max-age="5"', { isBypassed: false, isNotStored: false, maxAgeMs: 5_000 }],
    ['max-age=-1', { isBypassed: false, isNotStored: false }],
    ['max-age=99999999999', { isBypassed: false, isNotStored: false }],
  ])('%s', (header, expected) => {
    expect(directivesOf(header)).toEqual(expected);
  });
});

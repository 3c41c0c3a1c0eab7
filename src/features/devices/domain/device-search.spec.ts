import { describe, expect, it } from '@jest/globals';
import { folded, searchPatterns } from './device-search.js';
import { hardwareKey } from './hardware-key.js';

describe('What a search looks for', () => {
  it('is each word without accents and case, with what LIKE understands taken as text', () => {
    expect(searchPatterns('  Küche 100%\tA_B ').words).toEqual(['%kuche%', String.raw`%100\%%`, String.raw`%a\_b%`]);
    expect(folded('Éntrée')).toBe('entree');
  });

  it('is a word in hardware ids, too, in whatever spelling, if it is no accident there', () => {
    expect(searchPatterns('aa:bb-CC 3').keys).toEqual(['%AABBCC%', null]);
    expect(hardwareKey(' lock-00.01_a ')).toBe('LOCK0001A');
  });

  it('is no more than ten words', () => {
    expect(searchPatterns('x '.repeat(50)).words).toHaveLength(10);
  });
});

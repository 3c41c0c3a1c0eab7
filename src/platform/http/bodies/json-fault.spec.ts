import { describe, expect, it } from '@jest/globals';
import { leastProcessorMs } from '../../../../test/support/processor-time.js';
import { jsonFault } from './json-fault.js';

describe('jsonFault', () => {
  it.each([
    ['{', 'a closing brace is missing at line 1, column 2'],
    ['{"name":"a",}', 'a name in double quotes is missing at line 1, column 13'],
    ["{'name':'a'}", 'a word or character that means nothing at line 1, column 2'],
    ['{"name":"a"\n "room":"b"}', 'a comma is missing at line 2, column 2'],
    ['{"name" "a"}', 'a colon is missing at line 1, column 9'],
    ['{"name":}', 'a value is missing at line 1, column 9'],
    ['{"name":secret}', 'a word or character that means nothing at line 1, column 9'],
    ['{"name":"a', 'a text without a closing quote at line 1, column 9'],
    ['{}{}', 'something follows the end of it at line 1, column 3'],
    ['{"name":"\\x"}', 'a malformed escape at line 1, column 9'],
    ['{"a":1 /* b */}', 'a comment at line 1, column 8'],
    ['[1', 'a closing bracket is missing at line 1, column 3'],
  ])('says what and where, and repeats nothing of it: %j', (text, fault) => {
    expect(jsonFault(text)).toBe(fault);
  });

  it('finds nothing in JSON', () => {
    expect(jsonFault('{"a":[1,"b"]}')).toBeNull();
  });

  it('explains no megabyte of nonsense', () => {
    expect(jsonFault('x '.repeat(500_000))).toBeNull();
  });

  it.each([
    ['opens as deep as it is long', '['.repeat(60_000)],
    ['opens in a text that does not end', '["\n' + '['.repeat(60_000)],
    ['closes what it did not open', '[' + '}'.repeat(30_000) + ',' + '['.repeat(30_000)],
    ['is nothing but commas', '[' + ','.repeat(60_000)],
  ])('is done in time with what %s', (_what, text) => {
    expect(leastProcessorMs(() => jsonFault(text))).toBeLessThan(100);
  });
});

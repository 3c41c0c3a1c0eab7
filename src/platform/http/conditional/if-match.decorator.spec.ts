import { describe, expect, it } from '@jest/globals';
import { versionsIn } from './if-match.decorator.js';
import { InvalidIfMatchError } from './precondition.errors.js';

describe('If-Match', () => {
  it.each([
    [undefined, undefined],
    ['*', undefined],
    [' * ', undefined],
    ['"7"', [7]],
    [' "7" ', [7]],
    ['"7-x_9-Yz"', [7]],
    ['"7", "8-a"', [7, 8]],
    [' ,"7",,\t"8" , ', [7, 8]],
    ['W/"7"', [7]],
    ['W/"6", "7-a"', [6, 7]],
    ['W/"7-x_9-Yz", W/"8"', [7, 8]],
    ['"7-x_9-Yz-gzip"', [7]],
    ['"a,b", "7"', [7]],
    ['"x"', []],
    ['""', []],
    ['"-1"', []],
    ['"99999999999999"', []],
  ])('%j wants %j', (header, versions) => {
    expect(versionsIn(header)).toEqual(versions);
  });

  it.each([
    '',
    ',',
    '7',
    '7-a',
    '"7',
    '7"',
    '"7" "8"',
    '"7", 8',
    '"7"8',
    'w/"7"',
    '*, "7"',
    "'7'",
    '"7"; "8"',
    '"a b"',
  ])('%j is no list of entity tags', (header) => {
    expect(() => versionsIn(header)).toThrow(InvalidIfMatchError);
  });
});

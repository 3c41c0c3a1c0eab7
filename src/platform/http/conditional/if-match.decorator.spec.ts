import { describe, expect, it } from '@jest/globals';
import { versionsIn } from './if-match.decorator.js';
import { InvalidIfMatchError, WeakEntityTagError } from './precondition.errors.js';

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
    ['W/"6", "7"', [7]],
    ['"a,b", "7"', [7]],
    ['"x"', []],
    ['""', []],
    ['"-1"', []],
    ['"99999999999999"', []],
  ])('%j wants %j', (header, versions) => {
    expect(versionsIn(header)).toEqual(versions);
  });

  it.each(['W/"7"', 'W/"7", W/"8-a"'])('%s is weak, and the refusal says so', (header) => {
    expect(() => versionsIn(header)).toThrow(WeakEntityTagError);
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

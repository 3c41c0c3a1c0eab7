import { describe, expect, it } from '@jest/globals';
import { leastProcessorMs } from '../../../test/support/processor-time.js';
import { waitOf } from './prefer.decorator.js';
import { InvalidPreferError } from './prefer.errors.js';

describe('waitOf (RFC 7240)', () => {
  it.each([
    ['wait=5', 5_000],
    ['respond-async, wait=10', 10_000],
    ['WAIT = "3"; x=1', 3_000],
    ['wait=0', 0],
    ['wait=999', 30_000],
    ['foo="a,wait=soon", wait=4', 4_000],
    ['wait=4, wait=soon', 4_000],
    ['wait=5;', 5_000],
  ])('reads %s', (header, expected) => {
    expect(waitOf(header)).toBe(expected);
  });

  it.each([
    [undefined],
    [''],
    ['await=5'],
    ['waiting'],
    ['respond-async'],
    ['foo; wait=5'],
    ['foo="wait=5'],
    [';;;, ,'],
  ])('finds no wish to wait in %p', (header) => {
    expect(waitOf(header)).toBeUndefined();
  });

  it.each([
    'wait',
    'wait=',
    'wait=-1',
    'wait=soon',
    'wait=5.5',
    'wait=5s',
    'wait=1e9',
    'wait="5',
    'wait=1 2',
    'wait=1234567',
  ])('says what %p should be', (header) => {
    expect(() => waitOf(header)).toThrow(InvalidPreferError);
  });

  it('takes no time for a header that is full of quotes', () => {
    const headers = ['"'.repeat(16_000), '"\\'.repeat(8_000), 'a,"'.repeat(5_000), `wait=${' '.repeat(16_000)}x`];
    const read = (): void => {
      for (const header of headers) {
        try {
          waitOf(header);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidPreferError);
        }
      }
    };
    expect(leastProcessorMs(read)).toBeLessThan(500);
  });
});

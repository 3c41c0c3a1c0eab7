import { describe, expect, it } from '@jest/globals';
import { waitOf } from './prefer.decorator.js';

describe('waitOf (RFC 7240)', () => {
  it.each([
    ['wait=5', 5_000],
    ['respond-async, wait=10', 10_000],
    ['WAIT = "3"; x=1', 3_000],
    ['wait=0', 0],
    ['wait=999', 30_000],
  ])('reads %s', (header, expected) => {
    expect(waitOf(header)).toBe(expected);
  });

  it.each([[undefined], [''], ['await=5'], ['wait=-1'], ['wait=soon'], ['wait=5.5']])('ignores %p', (header) => {
    expect(waitOf(header)).toBeUndefined();
  });
});

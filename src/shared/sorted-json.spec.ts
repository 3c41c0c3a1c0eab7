import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sortedJson } from './sorted-json.js';

function shuffled(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Array.isArray(value)
    ? value.map(shuffled)
    : Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, member]) => [name, shuffled(member)]),
      );
}

describe('sortedJson', () => {
  it('is one text for equal values, in whatever order their members came', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(sortedJson(shuffled(value))).toBe(sortedJson(value));
        expect(JSON.parse(sortedJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    ['{"a":1.0,"b":"\\u0061"}', '{"b":"a","a":1}'],
    ['{"a":1e2}', '{"a":100}'],
    ['{"a":-0}', '{"a":0}'],
    ['{"10":1,"9":2,"a":{"c":[],"b":{}}}', '{"a":{"b":{},"c":[]},"9":2,"10":1}'],
  ])('takes %s and %s for equal', (one, other) => {
    expect(sortedJson(JSON.parse(one))).toBe(sortedJson(JSON.parse(other)));
  });

  it.each([
    ['[1,2]', '[2,1]'],
    ['{"a":null}', '{}'],
    ['{"a":1}', '{"a":"1"}'],
  ])('takes %s and %s for different', (one, other) => {
    expect(sortedJson(JSON.parse(one))).not.toBe(sortedJson(JSON.parse(other)));
  });
});

import { describe, expect, it } from '@jest/globals';
import { InvalidRequestError } from '../validation/validation.js';
import { areJsonLines, isBlank, readJsonLines } from './json-lines.js';

function faultOf(text: string): unknown {
  try {
    return readJsonLines(Buffer.from(text), 9);
  } catch (error) {
    return error instanceof InvalidRequestError ? error.errors[0] : error;
  }
}

/** The same bytes, and how often they were looked at: one by one, or by a method. */
function counted(bytes: Buffer): { body: Buffer; looks: () => number } {
  let looks = 0;
  const body = new Proxy(bytes, {
    get: (target, name) => {
      looks += name === 'length' ? 0 : 1;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  return { body, looks: () => looks };
}

describe('JSON lines', () => {
  it('are a list in which each document has the place of its line', () => {
    expect(readJsonLines(Buffer.from('\uFEFF{"a":1}\r\n\r\n \t\n{"b":[2]}'), 9)).toEqual([
      { a: 1 },
      undefined,
      undefined,
      { b: [2] },
    ]);
    expect(readJsonLines(Buffer.from(''), 9)).toEqual([]);
  });

  it('are read as far as one more than is taken, however many there are', () => {
    const text = `${'{}\n'.repeat(4)}no JSON any more\n${'{}\n'.repeat(300_000)}`;
    expect(readJsonLines(Buffer.from(text), 3)).toHaveLength(4);
  });

  it('are refused where a document stands behind more lines than so many times what is taken', () => {
    const blank = (lines: number): string => `${'\n'.repeat(lines)}{}`;
    const list = readJsonLines(Buffer.from(blank(89)), 9);
    expect([list.length, list.at(-1)]).toEqual([90, {}]);
    expect(readJsonLines(Buffer.from(`${blank(89)}\n\n\n`), 9)).toHaveLength(90);
    expect(faultOf(blank(90))).toEqual({
      detail: 'JSON lines have at most 90 lines, with those that are blank',
      pointer: '',
    });
  });

  it('are told apart by one look at each byte', () => {
    const blank = Buffer.from(`${'\n'.repeat(100_000)}{}`);
    for (const read of [areJsonLines, isBlank, (body: Buffer) => readJsonLines(body, 100_000)]) {
      const { body, looks } = counted(blank);
      read(body);
      // All bytes up to the first one of the document, whose end is searched, and which is cut out.
      expect(looks()).toBe(blank.length - 1 + 2);
    }
  });

  it.each([
    ['{}\n{"a":1', { detail: 'the body must be JSON: a closing brace is missing at line 2, column 7', pointer: '/2' }],
    ['{}\n\n{"a":1,"a":2}', { detail: '`a` stands more than once in its object, in line 3', pointer: '/3/a' }],
    [
      '{"a":"\\u0000"}\n',
      { detail: 'text must not contain U+0000 or half of a surrogate pair, in line 1', pointer: '/1' },
    ],
    ['{},{}', { detail: 'the body must be JSON: something follows the end of it at line 1, column 3', pointer: '/1' }],
    [
      `{}\n${'['.repeat(20)}`,
      { detail: 'the body must not be nested deeper than 16 levels, in line 2', pointer: '/2' },
    ],
  ])('are refused with the line at fault: %j', (text, fault) => {
    expect(faultOf(text)).toMatchObject(fault);
  });

  it.each([
    ['{"a":1}\n{"a":2}', true],
    ['\n {"a":1}\r\n{', true],
    ['{\n"a":1}{', false],
    ['[1]\n[2]', false],
    ['1\n2', false],
    ['', false],
    [' \t\r\n\n', false],
  ])('are told from JSON that is broken: %j', (text, are) => {
    expect(areJsonLines(Buffer.from(text))).toBe(are);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isTooDeep, PayloadRefusedError, readPayload } from './json-payload.js';

const fault = (bytes: Uint8Array): string => {
  try {
    readPayload(bytes);
    return 'none';
  } catch (error) {
    return error instanceof PayloadRefusedError ? error.fault : 'another error';
  }
};
const text = (value: string): Buffer => Buffer.from(value);

describe('readPayload', () => {
  it('reads any JSON of moderate depth', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
        const json = JSON.stringify(value);
        fc.pre(!/\\u(0000|d[89a-f])|__proto__/i.test(json));
        expect(readPayload(text(json))).toEqual(JSON.parse(json));
      }),
    );
  });

  it('never fails in another way, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(fault(bytes)).not.toBe('another error');
      }),
    );
  });

  it.each([
    [text('{"a":'), 'malformed_json'],
    [text(''), 'malformed_json'],
    [Buffer.from([0x22, 0xc3, 0x28, 0x22]), 'not_utf8'],
    [text(`${'['.repeat(17)}${']'.repeat(17)}`), 'too_deep'],
    [text('{"a":'.repeat(60_000)), 'too_deep'],
    [text('{"a":"\\u0000"}'), 'unstorable_text'],
    [text('{"\\u0000":1}'), 'unstorable_text'],
    [text('["\\udc00\\ud800"]'), 'unstorable_text'],
    [text('{"__proto__":{"admin":true}}'), 'forbidden_name'],
    [text('[{"a":{"\\u005f_proto__":1}}]'), 'forbidden_name'],
    [text('{"constructor":{"prototype":{}}}'), 'forbidden_name'],
  ])('refuses %s', (bytes, expected) => {
    expect(fault(bytes)).toBe(expected);
  });

  it.each([
    ['{"a":1,"a":1}', '/a'],
    ['{"a":1,"\\u0061":2}', '/a'],
    ['{"a":{"b":[1,{"c":1,"d":"}","c":2}]}}', '/a/b/1/c'],
    ['[[],{"a/b":{"~":1,"~":[]}}]', '/1/a~1b/~0'],
    ['{"\\"":1,"a":"\\\\","\\"":2}', '/"'],
    ['{"__proto__":1,"__proto__":1}', '/__proto__'],
  ])('refuses %s, and points at the second %s', (json, pointer) => {
    expect(() => readPayload(text(json))).toThrow(expect.objectContaining({ fault: 'repeated_name', pointer }));
  });

  it.each([
    ['one name in two objects', '[{"a":{"a":1}},{"a":":"}]'],
    ['colons, quotes and backslashes inside of strings', '{"a:":"\\":\\"","b":"\\\\"}'],
    ['a whole surrogate pair', '"\\ud83d\\ude00"'],
    ['brackets inside of strings', `"${'['.repeat(50)}\\"${'{'.repeat(50)}"`],
    ['a constructor that is a word', '{"constructor":"Otis"}'],
    ['sixteen levels', `${'['.repeat(16)}${']'.repeat(16)}`],
    ['an escaped backslash before u0000', '"\\\\u0000"'],
  ])('takes %s', (_name, json) => {
    expect(readPayload(text(json))).toEqual(JSON.parse(json));
    expect(readPayload(text(json), 'replaced')).toEqual(JSON.parse(json));
  });

  it.each<[json: string, value: unknown]>([
    ['{"a":"b\\u0000c"}', { a: 'b\ufffdc' }],
    ['["\\ud800","\\uDC00\\uD800","\\\\\\u0000"]', ['\ufffd', '\ufffd\ufffd', '\\\ufffd']],
    ['"\\ud800\\ud83d\\ude00\\ude00"', '\ufffd\u{1f600}\ufffd'],
    ['{"\\u0000":{"\\udbff":1}}', { '\ufffd': { '\ufffd': 1 } }],
  ])('replaces what cannot be stored in %s, where that is asked for', (json, value) => {
    expect(readPayload(text(json), 'replaced')).toEqual(value);
  });

  it('replaces nothing that is a fault of another kind', () => {
    for (const json of ['"\0"', '"\\ud8"', '"\\U0000"', '{"\\u0000":1,"\\ud800":2}', '{"__proto__":"\\u0000"}']) {
      expect(() => readPayload(text(json), 'replaced')).toThrow(PayloadRefusedError);
    }
  });

  it('replaces as a walk through all texts would', () => {
    const parts = fc.constantFrom('\\', 'u0000', '\0', '\ud83d', '\ude00', '"', 'x', 'ud800');
    fc.assert(
      fc.property(fc.array(parts), (words) => {
        const value = words.join('');
        const storable = value.toWellFormed().replaceAll('\0', '\ufffd');
        expect(readPayload(text(JSON.stringify([value])), 'replaced')).toEqual([storable]);
      }),
    );
  });
});

describe('isTooDeep', () => {
  it.each([
    [16, false],
    [17, true],
    [30_000, true],
  ])('takes the same levels as a payload: %i', (levels, expected) => {
    expect(isTooDeep(JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`))).toBe(expected);
    const last = levels - 1;
    expect(isTooDeep(JSON.parse(`${'{"a":'.repeat(last)}[]${'}'.repeat(last)}`))).toBe(expected);
  });

  it('looks at every member, and not into bytes', () => {
    expect(isTooDeep([1, null, 'x', {}, JSON.parse(`${'['.repeat(16)}${']'.repeat(16)}`)])).toBe(true);
    expect(isTooDeep(Buffer.alloc(1), 0)).toBe(false);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PayloadRefusedError, readPayload } from './json-payload.js';

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
  });
});

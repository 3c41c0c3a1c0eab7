import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalDomain, canonicalIdentifier, emailFault } from './identifiers.js';

describe('canonicalIdentifier', () => {
  it.each([
    ['Ada@Example.COM', 'ada@example.com'],
    [' ada@example.com\u00a0', 'ada@example.com'],
    ['ada@b\u00fccher.example', 'ada@xn--bcher-kva.example'],
    ['ada@bu\u0308cher.example', 'ada@xn--bcher-kva.example'],
    ['ada@B\u00dcCHER.example', 'ada@xn--bcher-kva.example'],
    ['ada@XN--BCHER-KVA.example', 'ada@xn--bcher-kva.example'],
    ['ada@fa\u00df.example', 'ada@xn--fa-hia.example'],
    ['ada@example\u3002com', 'ada@example.com'],
    // A Kelvin sign is the letter K.
    ['\u212aay@example.com', 'kay@example.com'],
    ['\uff21\uff24\uff21\uff20example\uff0ecom', 'ada@example.com'],
    ['ZOE\u0308@example.com', 'zo\u00eb@example.com'],
    ['Ada_Lovelace', 'ada_lovelace'],
    // Quotes around a name that needs none, and escapes in them (RFC 5321, section 4.1.2).
    ['"Ada"@example.com', 'ada@example.com'],
    ['"\\ada"@example.com', 'ada@example.com'],
    ['"a\\d\\a.\\l"@example.com', 'ada.l@example.com'],
    ['\uff02ada\uff02@example.com', 'ada@example.com'],
    ['"zoe\\\u0308"@example.com', 'zo\u00eb@example.com'],
    // Sigma has two small forms, by its place in the word; in a domain, the one that was typed is part of the name.
    ['\u039f\u03a3.\u0391@example.com', '\u03bf\u03c3.\u03b1@example.com'],
    ['\u03bf\u03c2.\u03b1@example.com', '\u03bf\u03c3.\u03b1@example.com'],
    ['\u039f\u03a3@example.com', '\u03bf\u03c3@example.com'],
    ['a@\u039f\u03a3.example', 'a@xn--0xai.example'],
    ['a@example.\u039f\u03a3', 'a@example.xn--0xai'],
    ['a@\u03bf\u03c3.example', 'a@xn--0xai.example'],
    ['a@\u03bf\u03c2.example', 'a@xn--0xag.example'],
  ])('makes %j into %s', (typed, canonical) => {
    expect(canonicalIdentifier(typed)).toBe(canonical);
  });

  it.each(['ada@exa\u00admple.com', 'ada@exa\u200bmple.com', 'a\u200bda@example.com', '\u202eada@example.com'])(
    'takes %j for none of those that it looks like',
    (typed) => {
      expect(canonicalIdentifier(typed)).not.toBe('ada@example.com');
    },
  );

  it.each(['ada@b\u00fccher.example/x', 'ada@b\u00fccher.example#x', 'ada@%62\u00fccher.example', 'ada@\u00fc:80'])(
    'leaves %j as it is, which a reader of URLs would shorten',
    (typed) => {
      expect(canonicalIdentifier(typed)).toBe(typed);
    },
  );

  it.each([
    '"a b"@example.com',
    '"a@b"@example.com',
    '"a..b"@example.com',
    '".a"@example.com',
    '"a\\"b"@example.com',
    '""@example.com',
  ])('leaves the quotes of %j, which mean something', (typed) => {
    expect(canonicalIdentifier(typed)).toBe(typed);
  });

  it('leaves what is too long for any identifier as it is', () => {
    const marks = `${'\u0307\u0323'.repeat(600)}@example.com`;
    expect(canonicalIdentifier(marks)).toBe(marks);
    expect(emailFault(marks)).toBeNull();
  });

  it('has one spelling for each of its own spellings', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    fc.assert(
      fc.property(text, text, (local, domain) => {
        const once = canonicalIdentifier(`${local}@${domain}`);
        expect(canonicalIdentifier(once)).toBe(once);
        expect(canonicalIdentifier(`${local}@${domain}`.normalize('NFD'))).toBe(
          canonicalIdentifier(`${local}@${domain}`.normalize('NFC')),
        );
      }),
    );
  });
});

describe('canonicalDomain', () => {
  it('takes a part of a domain, too', () => {
    expect(canonicalDomain('b\u00fccher')).toBe('xn--bcher-kva');
    expect(canonicalDomain('example')).toBe('example');
  });
});

describe('emailFault', () => {
  it.each([
    ['zero width space', '\u200b'],
    ['right-to-left override', '\u202e'],
    ['left-to-right mark', '\u200e'],
    ['soft hyphen', '\u00ad'],
    ['word joiner', '\u2060'],
    ['variation selector', '\ufe0f'],
    ['combining grapheme joiner', '\u034f'],
    ['Hangul filler', '\u3164'],
    ['control', '\u0007'],
    ['tag', '\u{e0061}'],
  ])('finds a %s', (_name, character) => {
    expect(emailFault(`a${character}da@example.com`)).toMatch(/invisible/);
  });

  it.each([
    '"a b"@example.com',
    '"ada".l@example.com',
    'ada(home)@example.com',
    '<ada@example.com',
    'a\\da@example.com',
  ])('finds quotes, comments or escapes in %s', (email) => {
    expect(emailFault(email)).toMatch(/quotes/);
  });

  it.each(['o\ufb03ce@example.com', 'a\u00b2@example.com', '\u017fam@example.com', '\u2460@example.com'])(
    'finds what stands for others in %s',
    (email) => {
      expect(emailFault(email)).toMatch(/stand for others/);
    },
  );

  it.each(['ada@example.com', "o'neill+locks@example.com", 'zo\u00eb@example.com', '\u7528\u6237@xn--fsqu00a.example'])(
    'finds nothing in %s',
    (email) => {
      expect(emailFault(email)).toBeNull();
    },
  );
});

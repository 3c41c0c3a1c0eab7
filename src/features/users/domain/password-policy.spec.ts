import { beforeAll, describe, expect, it } from '@jest/globals';
import { dictionary } from '@zxcvbn-ts/language-common';
import { array, assert, constantFrom, property, string } from 'fast-check';
import { leastProcessorMs } from '../../../../test/support/processor-time.js';
import { commonPasswords } from '../common-passwords.js';
import { normalizePassword, passwordFault as faultOf, type PasswordOwner } from './password-policy.js';

const ADA = { email: 'lovelace@example.com', username: 'countess' };
const ATTACKED = /attackers try first/;
const LENGTH = /12 to 128/;
const NAMED = /your username or the name/;
const OF_NAMES = /add a few unrelated words/;

let ranks: ReadonlyMap<string, number>;
const passwordFault = (password: string, owner: PasswordOwner): string | null => faultOf(password, owner, ranks);

beforeAll(async () => {
  ranks = await commonPasswords();
});

describe('passwordFault', () => {
  it.each([
    'tangerine harbour plumage 47',
    'kE9#wq!2Lr%xZ',
    'ausschlafen am Sonntag',
    '春眠不覚暁処処聞啼鳥夜来',
    'password of a careful person',
    `${'long enough to hold a sentence '.repeat(4)}!`,
  ])('has nothing against "%s"', (password) => {
    expect(passwordFault(password, ADA)).toBeNull();
  });

  it('counts characters as people do, after composing them', () => {
    const decomposed = 'e\u0301'.repeat(3) + 'xyz-uvw';
    expect(passwordFault(normalizePassword(decomposed), ADA)).toMatch(LENGTH);
    expect(passwordFault('🔑🚪🏠🌙🌟🍀🎈🎉🎵🐱🐶🦊', ADA)).toBeNull();
  });

  it.each(['', 'kE9#wq!2Lr%', 'kE9#'.repeat(32) + 'x'])('minds the length of "%s"', (password) => {
    expect(passwordFault(password, ADA)).toMatch(LENGTH);
  });

  it.each([
    'Password2024!!',
    'p@ssword-2024',
    '##Sunshine1234',
    'Correct Horse Battery Staple',
    'QWERTYUIOP123',
    'iloveyou1234',
  ])('knows "%s" from the lists of attackers', (password) => {
    expect(passwordFault(password, ADA)).toMatch(ATTACKED);
  });

  it.each([
    'aaaaaaaaaaaa',
    'abababababab',
    'Kx7!aQKx7!aQ',
    '123456789012',
    '7890123456789',
    'nopqrstuvwxyzab',
    'lkjhgfdsapoi',
    '1qaz2wsx3edc4rfv',
    'abc1abc1cba1abc',
  ])('sees the pattern in "%s"', (password) => {
    expect(passwordFault(password, ADA)).toMatch(ATTACKED);
  });

  it.each(['my name is Lovelace', 'COUNTESS of nowhere'])('refuses a name of its owner in "%s"', (password) => {
    expect(passwordFault(password, ADA)).toMatch(NAMED);
  });

  it('does not mind names too short to mean anything', () => {
    expect(passwordFault('tangerine harbour', { email: 'tan@example.com', username: 'our' })).toBeNull();
    expect(passwordFault('tangerine harbour', { email: 'a@example.com' })).toBeNull();
  });

  it.each([
    'password.123.password',
    'p a s s w o r d 1',
    'Passw0rd!Passw0rd',
    'trustno1trustno1!',
    'MichaelJordan23',
    'Liverpool1892!',
    'Summer2026!Summer',
    'correct-horse-battery-staple-9',
    'Winter is Coming 2026!',
    '1q2w3e4r5t6y',
    'zaq12wsxcde3',
    'ｐａｓｓｗｏｒｄ 2026 1',
    'pässwörd-pässwörd',
  ])('sees through the variations of "%s"', (password) => {
    expect(passwordFault(password, ADA)).toMatch(ATTACKED);
  });

  it.each([
    ['mortise-password-1', {}],
    ['mortisedoorlock', {}],
    ['MyMortiseLock1', {}],
    ['doorlockdoorlock', {}],
    ['welcome2mortise!', {}],
    ['example.com1234', {}],
    ['M0rt1s3-D00r-L0ck', {}],
    ['Evelyn Smith 12', { displayName: 'Evelyn Smith' }],
    ['smith.evelyn.1990', { displayName: 'Evelyn Smith' }],
    ['evelynsmith2026', { username: 'ev', displayName: 'Évelyn Smith' }],
    ['acme-corp-acme-1', { email: 'x@acme-corp.example' }],
  ])('refuses "%s", which is hardly more than names', (password, owner) => {
    const fault = passwordFault(password, { email: 'ada@example.com', ...owner });
    expect(fault).toMatch(OF_NAMES);
  });

  it('takes any four different words of a list for dice', () => {
    const words = dictionary['diceware-common'].filter((word) => word.length >= 4);
    const passphrase = array(constantFrom(...words), { minLength: 4, maxLength: 6 });
    assert(
      property(passphrase, constantFrom(' ', '-', '.', ''), (chosen, between) => {
        const different = [...new Set(chosen)];
        return different.length < 4 || passwordFault(different.join(between), { email: 'x@y.example' }) === null;
      }),
      { numRuns: 2_000, seed: 20_261_120 },
    );
  });

  it('refuses every common password, however it is filled up to the length', () => {
    const fillings = constantFrom('1', '!', '123', '2026', '!!', '.', '-1');
    assert(
      property(constantFrom(...[...ranks.keys()].slice(0, 5_000)), fillings, (password, filling) => {
        const filled = password + filling.repeat(Math.ceil(Math.max(0, 12 - password.length) / filling.length));
        return filled.length < 12 || filled.length > 128 || passwordFault(filled, { email: 'x@y.example' }) !== null;
      }),
      { numRuns: 2_000, seed: 20_261_120 },
    );
  });

  it('answers for whatever is typed, in time that its length bounds', () => {
    assert(
      property(string({ unit: 'grapheme', minLength: 12, maxLength: 128 }), (password) => {
        passwordFault(normalizePassword(password), ADA);
      }),
      { numRuns: 300, seed: 20_261_120 },
    );
    const worst = ['aA1!', '\u00e9', 'qwertyuiop', '1q2w3e4r'].map((text) => text.repeat(128).slice(0, 128));
    expect(leastProcessorMs(() => worst.map((password) => passwordFault(password, ADA)))).toBeLessThan(2_000);
  });

  it('takes no longer for letters that stand for many others each', () => {
    const leastMs = (password: string): number => leastProcessorMs(() => passwordFault(password, ADA));
    const letters = Array.from({ length: 128 }, (_, at) => String.fromCharCode(0x61 + ((at * at) % 23))).join('');
    // U+FDFA stands for 18 letters, U+3300 and the signs after it for up to six.
    const ligatures = Array.from({ length: 128 }, (_, at) =>
      at % 2 ? '\ufdfa' : String.fromCharCode(0x3300 + at),
    ).join('');
    expect(leastMs(ligatures)).toBeLessThan(4 * leastMs(letters) + 50);
  });
});

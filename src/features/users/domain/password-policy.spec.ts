import { describe, expect, it } from '@jest/globals';
import { COMMON_PASSWORDS } from './common-passwords.js';
import { normalizePassword, passwordFault } from './password-policy.js';

const ADA = { email: 'lovelace@example.com', username: 'countess' };
const ATTACKED = /attackers try first/;
const LENGTH = /12 to 128/;
const NAMED = /your username or the name/;

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
});

describe('the list of common passwords', () => {
  it('holds hundreds, all of them long enough to need it and folded', () => {
    expect(COMMON_PASSWORDS.size).toBeGreaterThan(400);
    expect(
      [...COMMON_PASSWORDS].filter((password) => password.length < 12 || password !== password.toLowerCase()),
    ).toEqual([]);
  });
});

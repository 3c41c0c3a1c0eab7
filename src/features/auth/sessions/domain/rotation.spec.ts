import { describe, expect, it } from '@jest/globals';
import { judgeRotation } from './rotation.js';

const LIVE = { live: true, counter: 5, inGrace: true, sameClient: true };

describe('a genuine refresh token that did not rotate', () => {
  it('gets the same successor again when it was replaced a moment ago', () => {
    expect(judgeRotation(4, LIVE)).toBe('repeat');
  });

  it('ends the session when it was replaced longer ago', () => {
    expect(judgeRotation(4, { ...LIVE, inGrace: false })).toBe('reuse');
  });

  it('ends the session when another client presents it, however recently it was replaced', () => {
    expect(judgeRotation(4, { ...LIVE, sameClient: false })).toBe('reuse');
  });

  it('ends the session when its successor was used already, however recently', () => {
    expect(judgeRotation(3, LIVE)).toBe('reuse');
  });

  it.each([
    ['the session is unknown', 4, null],
    ['the session is over', 4, { ...LIVE, live: false }],
    ['the session is over, even for an old token', 1, { ...LIVE, live: false }],
    ['it is of a generation the database does not know of (a restored backup)', 6, LIVE],
    ['it is the valid one, and expired in between', 5, LIVE],
  ])('is worth nothing when %s', (_case, presented, state) => {
    expect(judgeRotation(presented, state)).toBe('invalid');
  });
});

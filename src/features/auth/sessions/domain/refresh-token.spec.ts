import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { readRefreshToken, refreshTokenOf } from './refresh-token.js';

const SESSION = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55';

describe('a refresh token', () => {
  const key = randomBytes(32);
  const token = refreshTokenOf(key, { sessionId: SESSION, counter: 3 });

  it('says which session and generation it is of', () => {
    expect(readRefreshToken(key, token)).toEqual({ sessionId: SESSION, counter: 3 });
  });

  it('can be derived again, so that concurrent requests get the same one', () => {
    expect(refreshTokenOf(key, { sessionId: SESSION, counter: 3 })).toBe(token);
  });

  it('is another one for another generation, session or key', () => {
    const others = [
      refreshTokenOf(key, { sessionId: SESSION, counter: 4 }),
      refreshTokenOf(key, { sessionId: SESSION.replace('019a', '019b'), counter: 3 }),
      refreshTokenOf(randomBytes(32), { sessionId: SESSION, counter: 3 }),
    ];
    expect(new Set([token, ...others]).size).toBe(4);
  });

  it('is not read when we did not issue it', () => {
    expect(readRefreshToken(randomBytes(32), token)).toBeNull();
  });

  it('is not read when any byte of it differs', () => {
    const bytes = Buffer.from(token, 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const forged = Buffer.from(bytes);
      forged.writeUInt8(forged.readUInt8(index) ^ 0x80, index);
      expect(readRefreshToken(key, forged.toString('base64url'))).toBeNull();
    }
  });

  it.each(['', 'x', token.slice(1), `${token}A`, '*'.repeat(70), 'é'.repeat(70)])('is not read from "%s"', (text) => {
    expect(readRefreshToken(key, text)).toBeNull();
  });
});

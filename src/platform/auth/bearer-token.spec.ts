import { describe, expect, it } from '@jest/globals';
import { bearerTokenOf } from './bearer-token.js';

describe('bearerTokenOf', () => {
  it.each(['Bearer abc', 'bearer abc', 'BEARER abc', 'Bearer  abc', 'Bearer     abc'])('reads %j', (header) => {
    expect(bearerTokenOf(header)).toBe('abc');
  });

  it.each([undefined, '', 'Bearer', 'Bearer ', 'Bearerabc', 'Basic abc', 'abc', 'Bearer\tabc', ' Bearer abc'])(
    'finds none in %j',
    (header) => {
      expect(bearerTokenOf(header)).toBeNull();
    },
  );
});

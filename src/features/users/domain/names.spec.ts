import { describe, expect, it } from '@jest/globals';
import { foldedChanges, foldedNames, nameFaults } from './names.js';

describe('The names of an account', () => {
  it('are kept in the spelling in which they are looked up', () => {
    const email = '"\\Ada"@B\u00fccher.example';
    const kept = { email: 'ada@xn--bcher-kva.example', username: null, displayName: 'ada' };
    expect(foldedNames({ email })).toEqual(kept);
    expect(foldedChanges({ email })).toEqual({ email: kept.email });
  });
});

describe('nameFaults', () => {
  it.each(['ada', 'a.b', 'ada_lovelace-1815', '007', 'a'.repeat(32)])('finds none in the username %s', (username) => {
    expect(nameFaults('ada@example.com', username)).toEqual([]);
  });

  it.each(['ad', 'a'.repeat(33), '.ada', 'ada-', 'a da', 'ada@home', 'ädä', ''])(
    'refuses the username "%s"',
    (username) => {
      expect(nameFaults('ada@example.com', username)).toMatchObject([{ pointer: '/username' }]);
    },
  );

  it.each([
    'ada',
    'ada@',
    '@example.com',
    'ada@b@c',
    'a da@example.com',
    'a\u200bda@example.com',
    '"a..b"@example.com',
  ])('refuses the e-mail address "%s"', (email) => {
    expect(nameFaults(email, null)).toMatchObject([{ pointer: '/email' }]);
  });
});

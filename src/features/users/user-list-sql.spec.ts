import { describe, expect, it } from '@jest/globals';
import { accountList, containingAll, type SortStep } from './user-list-sql.js';

const AFTER = { keys: ['2026-11-20T18:00:00.000Z', 'ada@example.com'], id: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55' };

function whereOf(order: readonly SortStep[]): string {
  const after = { ...AFTER, keys: AFTER.keys.slice(0, order.length) };
  return /WHERE (.*)\s+ORDER BY/.exec(accountList({}, order, after, 20).text)?.[1] ?? '';
}

describe('The statement of a list of accounts', () => {
  it.each<{ order: SortStep[]; bound: string }>([
    { order: [{ key: 'createdAt', descending: true }], bound: 'u.created_at <= $1::timestamptz AND (' },
    { order: [{ key: 'createdAt', descending: false }], bound: 'u.created_at >= $1::timestamptz AND (' },
    {
      order: [
        { key: 'createdAt', descending: true },
        { key: 'email', descending: false },
      ],
      bound: 'u.created_at <= $1::timestamptz AND (',
    },
    { order: [], bound: 'u.id >= $1::uuid AND (' },
  ])('enters the index at its position, with $order', ({ order, bound }) => {
    expect(whereOf(order).startsWith(bound)).toBe(true);
  });

  it('lets the later steps decide where the first is equal', () => {
    expect(
      whereOf([
        { key: 'createdAt', descending: true },
        { key: 'email', descending: false },
      ]),
    ).toContain('(u.created_at = $1::timestamptz AND u.email > $2::text)');
  });

  it.each([
    ['Ada', ['%Ada%']],
    ['ada@b\u00fccher.example', ['%ada@b\u00fccher.example%', '%ada@xn--bcher-kva.example%']],
    ['b\u00fccher', ['%b\u00fccher%', '%xn--bcher-kva%']],
    ['\u03bf\u03b4\u03bf\u03c2', ['%\u03bf\u03b4\u03bf\u03c2%', '%xn--pxavbm%', '%\u03bf\u03b4\u03bf\u03c3%']],
  ])('looks for %s as it was typed, and as it is in an address', (word, patterns) => {
    const bound: unknown[] = [];
    containingAll(word, (value) => `$${String(bound.push(value))}`);
    expect(bound).toEqual(patterns);
  });
});

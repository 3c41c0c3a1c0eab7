import { describe, expect, it } from '@jest/globals';
import { findRepetitions } from './repetition.js';

const draft = (
  userId: string,
  dedupKey: string | null,
  value = 0,
): Parameters<typeof findRepetitions>[0][number] & {
  readonly value: number;
} => ({ userId, dedupKey, sameForMs: 1_000, value });
const held = (id: string, ageMs: number): Parameters<typeof findRepetitions>[1][number] => ({
  id,
  userId: 'ada',
  dedupKey: 'low d1',
  ageMs,
});

describe('repetitions', () => {
  it('are told by what there is, while that is young enough', () => {
    const { added, repeated, outdated } = findRepetitions(
      [draft('ada', 'low d1', 1), draft('ada', 'low d1', 2)],
      [held('n', 999)],
    );
    expect({ added, repeated: repeated.map(({ id, count, last }) => [id, count, last.value]), outdated }).toEqual({
      added: [],
      repeated: [['n', 2, 2]],
      outdated: [],
    });
  });

  it('are told anew after that, once', () => {
    const { added, repeated, outdated } = findRepetitions(
      [draft('ada', 'low d1', 1), draft('ada', 'low d1', 2)],
      [held('n', 1_000)],
    );
    expect(added.map(({ first, last, count }) => [first.value, last.value, count])).toEqual([[1, 2, 2]]);
    expect({ repeated, outdated }).toEqual({ repeated: [], outdated: ['n'] });
  });

  it('are none of another person, another key, or no key', () => {
    const drafts = [draft('grace', 'low d1'), draft('ada', 'low d2'), draft('ada', null), draft('ada', null)];
    expect(findRepetitions(drafts, [held('n', 0)]).added.map(({ count }) => count)).toEqual([1, 1, 1, 1]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { isIdle, type KeyAge, planKeys } from './key-plan.js';

const TIMES = { algorithm: 'RS256', signsForMs: 1_000, publishedForMs: 100, verifiesForMs: 500 } as const;

const key = (state: KeyAge['state'], ageMs: number, algorithm: KeyAge['algorithm'] = 'RS256'): KeyAge => ({
  kid: `${state}-${algorithm}`,
  algorithm,
  state,
  ageMs,
});

describe('the plan for the keys of a purpose', () => {
  it('is to publish the next key as soon as there is an active one', () => {
    expect(planKeys([key('active', 0)], TIMES)).toEqual({ rotate: false, publish: true, retire: [] });
  });

  it('is to wait while the active key is young', () => {
    expect(isIdle(planKeys([key('active', 999), key('next', 999)], TIMES))).toBe(true);
  });

  it('is to rotate when the time of the active key is over, and to publish another next one', () => {
    expect(planKeys([key('active', 1_000), key('next', 100)], TIMES)).toEqual({
      rotate: true,
      publish: true,
      retire: [],
    });
  });

  it('is to wait until the next key was published for long enough', () => {
    expect(isIdle(planKeys([key('active', 2_000), key('next', 99)], TIMES))).toBe(true);
  });

  it('is to retire a passive key when the last thing it signed has expired, not before', () => {
    const keys = [key('active', 600), key('next', 600)];
    expect(isIdle(planKeys([...keys, key('passive', 499)], TIMES))).toBe(true);
    expect(planKeys([...keys, key('passive', 500)], TIMES).retire).toEqual(['passive-RS256']);
  });

  it('is to replace a next key of an algorithm that is no longer wanted, and only then to rotate', () => {
    const active = key('active', 5);
    expect(planKeys([active, key('next', 5)], { ...TIMES, algorithm: 'EdDSA' })).toEqual({
      rotate: false,
      publish: true,
      retire: ['next-RS256'],
    });
    expect(planKeys([active, key('next', 100, 'EdDSA')], { ...TIMES, algorithm: 'EdDSA' }).rotate).toBe(true);
  });

  it('is to rotate nothing where there is no active key yet', () => {
    expect(planKeys([], TIMES)).toEqual({ rotate: false, publish: true, retire: [] });
  });
});

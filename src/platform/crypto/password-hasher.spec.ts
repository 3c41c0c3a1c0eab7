import { describe, expect, it } from '@jest/globals';
import { hash } from 'argon2';
import { PasswordHasher } from './password-hasher.js';
import { BusyError } from './semaphore.js';

describe('PasswordHasher', () => {
  const hasher = new PasswordHasher();

  it('hashes with argon2id and the parameters of OWASP, salted', async () => {
    const [one, other] = await Promise.all([hasher.hash('the same password'), hasher.hash('the same password')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$(?=[^$]*m=19456)(?=[^$]*t=2)(?=[^$]*p=1)/);
    expect(other).not.toBe(one);
  });

  it('knows the right password from a wrong one', async () => {
    const hashed = await hasher.hash('tangerine harbour plumage');
    await expect(hasher.verify(hashed, 'tangerine harbour plumage')).resolves.toBe(true);
    await expect(hasher.verify(hashed, 'tangerine harbour plumagE')).resolves.toBe(false);
  });

  it('knows a hash that was made with other parameters', async () => {
    expect(hasher.isOutdated(await hasher.hash('tangerine harbour plumage'))).toBe(false);
    expect(hasher.isOutdated(await hash('tangerine harbour plumage', { memoryCost: 8_192, timeCost: 1 }))).toBe(true);
  });

  it('takes as long without a hash, and answers false', async () => {
    const hashed = await hasher.hash('tangerine harbour plumage');
    const median = async (candidate: string | null): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round < 7; round += 1) {
        const start = performance.now();
        await expect(hasher.verify(candidate, 'wrong')).resolves.toBe(false);
        times.push(performance.now() - start);
      }
      return times.sort((a, b) => a - b)[3] ?? 0;
    };
    const [known, unknown] = [await median(hashed), await median(null)];
    // Without the computation it would take a hundredth; the margin is for a busy machine.
    expect(unknown).toBeGreaterThan(known / 4);
  });

  it('refuses a flood instead of queueing it without end', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => hasher.verify(null, 'guess')));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(200);
    expect(refused.every((outcome) => outcome.reason instanceof BusyError)).toBe(true);
  });
});

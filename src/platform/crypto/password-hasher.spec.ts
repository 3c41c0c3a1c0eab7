import { describe, expect, it } from '@jest/globals';
import { hash } from 'argon2';
import { loadConfig } from '../../config/load-config.js';
import { SystemClock } from '../../shared/system-clock.js';
import { newContext, runInContext } from '../context/request-context.js';
import { Metrics } from '../metrics/metrics.js';
import { PasswordHasher } from './password-hasher.js';
import { BusyError } from '../process/semaphore.js';

const SETTINGS = {
  NODE_ENV: 'test',
  DATABASE_URL: 'postgres://nowhere',
  REDIS_URL: 'redis://nowhere',
  MASTER_KEY: Buffer.alloc(32).toString('base64'),
};

describe('PasswordHasher', () => {
  const metrics = new Metrics();
  const hasher = hasherWith();

  function hasherWith(parameters: Record<string, string> = {}): PasswordHasher {
    return new PasswordHasher(loadConfig({ ...SETTINGS, ...parameters }), metrics, new SystemClock());
  }

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

  it('finds a hash outdated that was made with less than today, and no other', async () => {
    const hashed = await hasher.hash('tangerine harbour plumage');
    expect(hasher.isOutdated(hashed)).toBe(false);
    expect(hasher.isOutdated(await hash('tangerine harbour plumage', { memoryCost: 8_192, timeCost: 1 }))).toBe(true);
    expect(hasherWith({ ARGON2_MEMORY: '19457' }).isOutdated(hashed)).toBe(true);
    expect(hasherWith({ ARGON2_PASSES: '3' }).isOutdated(hashed)).toBe(true);
    expect(hasherWith({ ARGON2_MEMORY: '12288', ARGON2_PASSES: '3' }).isOutdated(hashed)).toBe(true);
    const stronger = await hash('tangerine harbour plumage', { memoryCost: 20_000, timeCost: 3 });
    expect(hasher.isOutdated(stronger)).toBe(false);
    expect(hasher.isOutdated('$2b$12$the.hash.of.another.algorithm')).toBe(true);
  });

  it('says that it was given no hash, and counts no refusal for that', async () => {
    const refusals = async (): Promise<string | undefined> =>
      /^mortise_password_hash_refusals_total (\d+)/m.exec(await metrics.render())?.[1];
    const before = await refusals();
    expect(before).toMatch(/^\d+$/);
    await expect(hasher.verify('not a hash', 'tangerine harbour')).rejects.toThrow();
    expect(await refusals()).toBe(before);
  });

  it('works for a route only that says so', async () => {
    const request = newContext('http', 'anonymous');
    await expect(runInContext(request, () => hasher.hash('tangerine harbour'))).rejects.toThrow(/@HashesPassword/);
    request.hashHolder = '192.0.2.7';
    await expect(runInContext(request, () => hasher.verify(null, 'tangerine harbour'))).resolves.toBe(false);
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
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => hasher.verify(null, 'guess')));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(40);
    expect(refused.every((outcome) => outcome.reason instanceof BusyError)).toBe(true);
    const page = await metrics.render();
    expect(page).toContain(`mortise_password_hash_refusals_total ${String(refused.length)}`);
    expect(page).toContain('mortise_password_hashes_waiting 0');
    expect(page).toMatch(/mortise_password_hash_seconds_count [1-9]/);
    expect(page).toMatch(/mortise_password_hash_wait_seconds_count [1-9]/);
  });
});

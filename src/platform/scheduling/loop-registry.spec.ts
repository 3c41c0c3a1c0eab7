import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type HealthDetails, ReadinessRegistry, UnhealthyError } from '../health/readiness-registry.js';
import { Metrics } from '../metrics/metrics.js';
import { type BackgroundLoop, type StepOutcome } from './background-loop.js';
import { LoopRegistry } from './loop-registry.js';

describe('the loops of a process', () => {
  let readiness: ReadinessRegistry;
  let metrics: Metrics;
  let loops: LoopRegistry;
  let step: () => Promise<StepOutcome>;
  let errors: unknown[];
  let loop: BackgroundLoop;
  let steps: number;

  beforeEach(() => {
    jest.useFakeTimers();
    readiness = new ReadinessRegistry();
    metrics = new Metrics();
    loops = new LoopRegistry(readiness, metrics);
    loops.onModuleInit();
    errors = [];
    steps = 0;
    step = () => Promise.resolve('idle');
    const options = { idleMs: 1_000, retryMs: 1_000, onError: (error: unknown) => errors.push(error) };
    loop = loops.create(
      'sweep',
      () => {
        steps += 1;
        return step();
      },
      options,
    );
  });

  afterEach(async () => {
    await loop.stop();
    jest.useRealTimers();
  });

  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
  const health = (): Promise<HealthDetails | undefined> | undefined => readiness.dependencies[0]?.check();
  const series = async (name: string): Promise<string | undefined> =>
    (await metrics.render()).split('\n').find((line) => line.startsWith(`${name}{loop="sweep"}`));

  it('are well while their steps end, and before they run', async () => {
    await pass(60_000);
    await expect(health()).resolves.toBeUndefined();
    loop.start();
    await pass(60_000);
    await expect(health()).resolves.toBeUndefined();
    expect(readiness.dependencies).toMatchObject([{ name: 'loops', critical: false }]);
  });

  it('give up a step that never ends, count it, and go on with the next one', async () => {
    step = () => (steps === 1 ? new Promise(() => undefined) : Promise.resolve('idle'));
    loop.start();
    await pass(19_999);
    expect([steps, errors]).toEqual([1, []]);
    await pass(1_000);
    expect([steps > 1, errors]).toEqual([true, [expect.objectContaining({ name: 'DeadlineExceededError' })]]);
    expect(await series('mortise_loop_overdue_total')).toMatch(/ 1$/);
    expect(await series('mortise_loop_failures_total')).toBeUndefined();
    await expect(health()).resolves.toBeUndefined();
  });

  it('are named by health with the seconds, while no step is completed, and no longer than that', async () => {
    step = () => (steps % 2 ? new Promise(() => undefined) : Promise.reject(new Error('away')));
    loop.start();
    await pass(26_000);
    await expect(health()).resolves.toBeUndefined();
    await pass(4_000);
    await expect(health()).rejects.toEqual(new UnhealthyError('loops stand still'));
    await expect(health()).rejects.toMatchObject({ details: { sweep: 30 } });
    expect(await series('mortise_loop_age_seconds')).toMatch(/ 30$/);
    expect(await series('mortise_loop_failures_total')).toMatch(/ [1-9]$/);
    step = () => Promise.resolve('idle');
    await pass(21_000);
    await expect(health()).resolves.toBeUndefined();
  });

  it('are not missed once they were stopped', async () => {
    loop.start();
    await loop.stop();
    await pass(600_000);
    await expect(health()).resolves.toBeUndefined();
  });

  it('have different names', () => {
    const twin = () => loops.create('sweep', step, { idleMs: 1, retryMs: 1, onError: () => undefined });
    expect(twin).toThrow('named "sweep"');
  });
});

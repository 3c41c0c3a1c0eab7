import { describe, expect, it, jest } from '@jest/globals';
import { MeasurementCache } from './measurement-cache.js';
import { Metrics } from './metrics.js';

const line = async (metrics: Metrics, name: string): Promise<string[]> =>
  (await metrics.render()).split('\n').filter((text) => text.startsWith(name));

describe('Measured metrics', () => {
  it('are measured once for all who read them at the same time, and for a while', async () => {
    const metrics = new Metrics();
    let times = 0;
    const measure = () => Promise.resolve({ online: ++times, kinds: { mqtt: 2 } });
    metrics.measured(measure, [
      { name: 'a_door', help: 'Doors', samples: ({ online }) => [[online]] },
      {
        name: 'a_link',
        help: 'Links',
        labelNames: ['kind'],
        samples: ({ kinds }) => Object.entries(kinds).map(([kind, count]) => [count, { kind }] as const),
      },
    ]);
    await Promise.all([metrics.render(), metrics.render()]);
    expect([await line(metrics, 'a_door'), await line(metrics, 'a_link')]).toEqual([
      ['a_door 1'],
      ['a_link{kind="mqtt"} 2'],
    ]);
    expect(times).toBe(1);
  });

  it('are absent while they are not known, without holding up the others', async () => {
    const metrics = new Metrics();
    let answer: (value: number) => void = () => undefined;
    const silent = new Promise<number>((resolve) => {
      answer = resolve;
    });
    let asked = 0;
    metrics.measured(() => {
      asked += 1;
      return silent;
    }, [{ name: 'a_silent', help: 'Never answered', samples: (value) => [[value]] }]);
    metrics.measured(
      () => Promise.reject(new Error('away')),
      [{ name: 'a_failure', help: 'Fails', labelNames: ['kind'], samples: () => [[1, { kind: 'x' }]] }],
    );
    metrics.counter('a_count_total', 'Counted').inc();
    const began = performance.now();
    expect(await line(metrics, 'a_')).toEqual(['a_count_total 1']);
    expect(performance.now() - began).toBeLessThan(8_000);
    // It is not asked again while it has not answered, and what it answers late is there for the next.
    await metrics.render();
    answer(7);
    await silent;
    expect([await line(metrics, 'a_silent'), asked]).toEqual([['a_silent 7'], 1]);
  });

  it('are asked for anew when what was asked stays silent', async () => {
    jest.useFakeTimers();
    try {
      const answers = [new Promise<number>(() => undefined), Promise.resolve(7)];
      const cache = new MeasurementCache(() => answers.shift() ?? Promise.reject(new Error('Asked too often.')));
      const silent = cache.read();
      await jest.advanceTimersByTimeAsync(29_000);
      await expect(silent).resolves.toBeUndefined();
      await jest.advanceTimersByTimeAsync(2_000);
      await expect(cache.read()).resolves.toBe(7);
    } finally {
      jest.useRealTimers();
    }
  });
});

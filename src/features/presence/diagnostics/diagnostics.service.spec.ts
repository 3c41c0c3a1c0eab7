import { describe, expect, it } from '@jest/globals';
import type { CutoffRegistry } from '../../../platform/mqtt/limits/cutoff-registry.js';
import type { LineRefusal, RejectedMessages } from '../../../platform/mqtt/rejected-messages.js';
import type { DiagnosticsRepository } from './diagnostics.repository.js';
import { SystemClock } from '../../../shared/system-clock.js';
import { DiagnosticsService } from './diagnostics.service.js';
import type { HeldRefusals } from './diagnostics.types.js';

/** With a repository whose first writes fail. */
function build(failures: number) {
  const written: HeldRefusals[] = [];
  const writtenAt: number[] = [];
  const during: (() => void)[] = [];
  const clock = new SystemClock();
  let time = 0;
  const at = (now: number): void => {
    time = now;
  };
  clock.monotonic = () => time;
  let refuse: (refusal: LineRefusal) => void = () => undefined;
  const service = new DiagnosticsService(
    {
      record: async (batch: readonly HeldRefusals[], now: number) => {
        await Promise.resolve();
        during.shift()?.();
        if (failures-- > 0) {
          throw new Error('The database is away.');
        }
        written.push(...batch);
        writtenAt.push(now);
      },
    } as unknown as DiagnosticsRepository,
    { onRefusal: (listener: typeof refuse) => (refuse = listener) } as unknown as RejectedMessages,
    { onCut: () => undefined } as unknown as CutoffRegistry,
    clock,
  );
  service.onModuleInit();
  const hold = (deviceId: string): void => {
    refuse({ deviceId, code: 'malformed_json', detail: null, weight: 1 });
  };
  return { written, writtenAt, during, at, hold, flush: () => service.beforeApplicationShutdown() };
}

const counts = (written: readonly HeldRefusals[]): Record<string, number> => {
  const sums: Record<string, number> = {};
  written.forEach(({ deviceId, count }) => (sums[deviceId] = (sums[deviceId] ?? 0) + count));
  return sums;
};

describe('DiagnosticsService', () => {
  it('writes what was refused when its batch had failed, and what was refused meanwhile, once', async () => {
    const { written, during, hold, flush } = build(1);
    ['a', 'a', 'b'].forEach(hold);
    during.push(() => {
      hold('a');
    });
    await flush();
    expect(counts(written)).toEqual({ a: 3, b: 1 });
  });

  it('keeps when they happened until they are written', async () => {
    const { written, writtenAt, during, at, hold, flush } = build(1);
    hold('a');
    at(100);
    hold('a');
    hold('b');
    at(2_000);
    during.push(() => {
      at(2_500);
      hold('a');
      at(3_000);
    });
    await flush();
    expect(written).toMatchObject([
      { deviceId: 'a', count: 3, firstAt: 0, lastAt: 2_500 },
      { deviceId: 'b', count: 1, firstAt: 100, lastAt: 100 },
    ]);
    expect(new Set(writtenAt)).toEqual(new Set([3_000]));
  });
});

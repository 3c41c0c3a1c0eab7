import { describe, expect, it } from '@jest/globals';
import type { CutoffRegistry } from '../../../platform/mqtt/limits/cutoff-registry.js';
import type { LineRefusal, RejectedMessages } from '../../../platform/mqtt/rejected-messages.js';
import type { DiagnosticsRepository } from './diagnostics.repository.js';
import { DiagnosticsService } from './diagnostics.service.js';
import type { HeldRefusals } from './diagnostics.types.js';

/** With a repository whose first writes fail. */
function build(failures: number) {
  const written: HeldRefusals[] = [];
  const during: (() => void)[] = [];
  let refuse: (refusal: LineRefusal) => void = () => undefined;
  const service = new DiagnosticsService(
    {
      record: async (batch: readonly HeldRefusals[]) => {
        await Promise.resolve();
        during.shift()?.();
        if (failures-- > 0) {
          throw new Error('The database is away.');
        }
        written.push(...batch);
      },
    } as unknown as DiagnosticsRepository,
    { onRefusal: (listener: typeof refuse) => (refuse = listener) } as unknown as RejectedMessages,
    { onCut: () => undefined } as unknown as CutoffRegistry,
  );
  service.onModuleInit();
  const hold = (deviceId: string): void => {
    refuse({ deviceId, code: 'malformed_json', detail: null, weight: 1 });
  };
  return { written, during, hold, flush: () => service.beforeApplicationShutdown() };
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
});

import { describe, expect, it } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import { eventually } from '../../../../test/support/wait.js';
import { ReadinessRegistry } from '../../../platform/health/readiness-registry.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import type { DispatchScheduler } from './dispatch-scheduler.js';
import { CommandSweeper } from './command-sweeper.js';
import type { DispatchRepository } from './dispatch.repository.js';
import type { DispatchService } from './dispatch.service.js';

function setup(options: { settle?: () => Promise<boolean>; resendDue?: boolean; resent?: number } = {}) {
  const steps: string[] = [];
  const errors: unknown[] = [];
  const sweeper = new CommandSweeper(
    {
      settleOverdue: () => {
        steps.push('settle');
        return options.settle?.() ?? Promise.resolve(false);
      },
      resendDue: () => {
        steps.push('resend');
        return Promise.resolve(options.resent ?? 1);
      },
    } as unknown as DispatchService,
    { wake: (deviceId: string) => steps.push(`wake ${deviceId}`) } as unknown as DispatchScheduler,
    {
      findWaiting: () => Promise.resolve({ resendDue: options.resendDue ?? false, deviceIds: ['a', 'b'] }),
    } as unknown as DispatchRepository,
    new LoopRegistry(new ReadinessRegistry(), new Metrics()),
    { setContext: () => undefined, error: (fields: unknown) => errors.push(fields) } as unknown as PinoLogger,
  );
  return { sweeper, steps, errors };
}

describe('CommandSweeper', () => {
  it('settles overdue commands, and schedules devices with waiting commands', async () => {
    const { sweeper, steps } = setup();
    await expect(sweeper.sweep()).resolves.toBe('idle');
    expect(steps).toEqual(['settle', 'wake a', 'wake b']);
  });

  it('sends orders again only when one is due', async () => {
    const { sweeper, steps } = setup({ resendDue: true });
    await expect(sweeper.sweep()).resolves.toBe('idle');
    expect(steps).toEqual(['settle', 'resend', 'wake a', 'wake b']);
  });

  it('sweeps again at once when a batch was full', async () => {
    await expect(setup({ settle: () => Promise.resolve(true) }).sweeper.sweep()).resolves.toBe('more');
    await expect(setup({ resendDue: true, resent: 200 }).sweeper.sweep()).resolves.toBe('more');
  });

  it('logs a sweep that failed, and sweeps again', async () => {
    let sweeps = 0;
    const { sweeper, errors } = setup({
      settle: () => (++sweeps === 1 ? Promise.reject(new Error('database away')) : Promise.resolve(false)),
    });
    sweeper.onApplicationBootstrap();
    await eventually('another sweep', () => sweeps > 1);
    await sweeper.beforeApplicationShutdown();
    expect(errors).toHaveLength(1);
  });
});

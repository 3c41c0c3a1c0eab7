import { describe, expect, it, jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import type { SignalBus } from '../../../platform/redis/signal-bus.js';
import { type PresenceService } from '../../presence/presence.service.js';
import { DispatchScheduler } from './dispatch-scheduler.js';
import type { AcknowledgementService } from '../acknowledgement/acknowledgement.service.js';
import type { DispatchRepository } from './dispatch.repository.js';
import type { DispatchService } from './dispatch.service.js';

/** A DispatchService whose steps end when the test says so. */
class ScriptedDispatch {
  readonly steps: string[] = [];
  readonly runs: { deviceId: string; end: (again: boolean) => void; fail: (error: Error) => void }[] = [];

  sendNext(deviceId: string): Promise<boolean> {
    this.steps.push(`send ${deviceId}`);
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.runs.push({ deviceId, end: resolve, fail: reject });
    return promise;
  }

  resendToDevice(deviceId: string): Promise<number> {
    this.steps.push(`resend ${deviceId}`);
    return Promise.resolve(0);
  }
}

/** Long enough for the query and for catching up, each of which begins at the end of a turn. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
};

function setup({ open = true, holdSettling = false, failures = 0 } = {}) {
  let failing = failures;
  const settling: (() => void)[] = [];
  const dispatch = new ScriptedDispatch();
  const handlers = new Map<string, (body: { deviceId: string }) => void>();
  const connected: ((deviceId: string) => void)[] = [];
  const errors: unknown[] = [];
  const scheduler = new DispatchScheduler(
    dispatch as unknown as DispatchService,
    {
      settleEarlierBoots: (deviceId: string) => {
        dispatch.steps.push(`settle ${deviceId}`);
        const { promise, resolve } = Promise.withResolvers<undefined>();
        settling.push(() => {
          resolve(undefined);
        });
        return holdSettling ? promise : Promise.resolve();
      },
    } as unknown as AcknowledgementService,
    {
      listOpen: (deviceIds: readonly string[]) => {
        dispatch.steps.push(`query ${deviceIds.join(', ')}`);
        return failing-- > 0 ? Promise.reject(new Error('database away')) : Promise.resolve(open ? deviceIds : []);
      },
    } as unknown as DispatchRepository,
    { onConnected: (handler: (deviceId: string) => void) => connected.push(handler) } as unknown as PresenceService,
    {
      on: (name: string, handler: (body: { deviceId: string }) => void) => {
        handlers.set(name, handler);
        return () => handlers.delete(name);
      },
    } as unknown as SignalBus,
    { setContext: () => undefined, error: (fields: unknown) => errors.push(fields) } as unknown as PinoLogger,
  );
  scheduler.onModuleInit();
  return {
    scheduler,
    dispatch,
    errors,
    handlers,
    settling,
    signal: (name: string, deviceId: string) => handlers.get(name)?.({ deviceId }),
    connect: (deviceId: string) => {
      connected.forEach((handler) => {
        handler(deviceId);
      });
    },
  };
}

describe('DispatchScheduler', () => {
  it('sends at once when a command was queued, until none is left', async () => {
    const { dispatch, signal } = setup();
    signal('command_queued', 'a');
    dispatch.runs[0]?.end(true);
    await settle();
    dispatch.runs[1]?.end(false);
    await settle();
    expect(dispatch.steps).toEqual(['send a', 'send a']);
  });

  it('queries before it opens a transaction when a lane became free', async () => {
    const idle = setup({ open: false });
    idle.signal('command_settled', 'a');
    await settle();
    expect(idle.dispatch.steps).toEqual(['query a']);
    const busy = setup();
    busy.signal('command_settled', 'a');
    await settle();
    expect(busy.dispatch.steps).toEqual(['query a', 'send a']);
  });

  it('settles commands of earlier boots, and sends again, before it sends new orders to a device that came online', async () => {
    const { dispatch, connect } = setup();
    connect('a');
    await settle();
    expect(dispatch.steps).toEqual(['query a', 'settle a', 'resend a', 'send a']);
  });

  it('works on a device once at a time, and afterwards for the strongest reason that came up meanwhile', async () => {
    const { dispatch, signal, connect } = setup();
    signal('command_queued', 'a');
    signal('command_settled', 'a');
    connect('a');
    signal('command_queued', 'a');
    await settle();
    expect(dispatch.steps).toEqual(['send a']);
    dispatch.runs[0]?.end(false);
    await settle();
    expect(dispatch.steps).toEqual(['send a', 'query a', 'settle a', 'resend a', 'send a']);
  });

  it('works on two hundred devices in parallel, and on the others in their order', async () => {
    const { dispatch, signal } = setup();
    for (let n = 0; n < 203; n++) {
      signal('command_queued', String(n));
    }
    expect(dispatch.runs).toHaveLength(200);
    dispatch.runs[3]?.end(false);
    await settle();
    expect(dispatch.runs.map(({ deviceId }) => deviceId)).toEqual(Array.from({ length: 201 }, (_, n) => String(n)));
  });

  it('queries many devices at once', async () => {
    const { dispatch, signal } = setup();
    ['a', 'b', 'c'].forEach((deviceId) => {
      signal('command_settled', deviceId);
    });
    await settle();
    expect(dispatch.steps).toEqual(['query a, b, c', 'send a', 'send b', 'send c']);
  });

  it('catches up with eight devices in parallel when many reconnect, each in a transaction of its own', async () => {
    const { dispatch, connect, settling } = setup({ holdSettling: true });
    for (let n = 0; n < 20; n++) {
      connect(String(n));
    }
    await settle();
    expect(settling).toHaveLength(8);
    settling[0]?.();
    await settle();
    expect(settling).toHaveLength(9);
    expect(dispatch.steps.filter((step) => step.startsWith('resend'))).toEqual(['resend 0']);
  });

  it('works on after a failure', async () => {
    const { dispatch, signal, errors } = setup();
    signal('command_queued', 'a');
    dispatch.runs[0]?.fail(new Error('database away'));
    await settle();
    signal('command_queued', 'a');
    expect(dispatch.runs).toHaveLength(2);
    expect(errors).toHaveLength(1);
  });

  it('catches up later with a device that came online while that failed, until the stop', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
    const { scheduler, dispatch, connect, errors } = setup({ failures: 2 });
    connect('a');
    await settle();
    jest.advanceTimersByTime(5_000);
    await settle();
    jest.advanceTimersByTime(5_000);
    await settle();
    expect(dispatch.steps).toEqual(['query a', 'query a', 'query a', 'settle a', 'resend a', 'send a']);
    dispatch.runs[0]?.fail(new Error('database away'));
    await settle();
    expect([errors.length, jest.getTimerCount()]).toEqual([3, 1]);
    await scheduler.beforeApplicationShutdown();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('stops after the current step, and accepts nothing new', async () => {
    const { scheduler, dispatch, handlers, connect } = setup();
    connect('a');
    await settle();
    const ended = scheduler.beforeApplicationShutdown();
    scheduler.wake('b');
    dispatch.runs[0]?.end(true);
    await ended;
    expect(dispatch.steps).toEqual(['query a', 'settle a', 'resend a', 'send a']);
    expect(handlers.size).toBe(0);
  });

  it('holds a limited number of waiting devices: the sweep finds the rest', () => {
    const { scheduler, dispatch } = setup();
    for (let n = 0; n < 60_000; n++) {
      scheduler.wake(String(n));
    }
    expect(dispatch.runs).toHaveLength(200);
    expect(scheduler.waiting).toBe(50_000);
  });
});

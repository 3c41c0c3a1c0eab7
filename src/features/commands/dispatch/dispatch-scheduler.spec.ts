import { describe, expect, it } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import type { Signals } from '../../../platform/redis/signals.js';
import { type PresenceService } from '../../presence/presence.service.js';
import { DispatchScheduler } from './dispatch-scheduler.js';
import type { AcknowledgementService } from '../acknowledgement.service.js';
import type { DispatchRepository } from './dispatch.repository.js';
import type { DispatchService } from './dispatch.service.js';

/** A sender whose every step waits for the test. */
class HandSender {
  readonly story: string[] = [];
  readonly steps: { deviceId: string; end: (again: boolean) => void; fail: (error: Error) => void }[] = [];

  sendNext(deviceId: string): Promise<boolean> {
    this.story.push(`send ${deviceId}`);
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.steps.push({ deviceId, end: resolve, fail: reject });
    return promise;
  }

  resendToDevice(deviceId: string): Promise<number> {
    this.story.push(`resend ${deviceId}`);
    return Promise.resolve(0);
  }
}

/** Long enough for a look and for catching up, each of which begins at the end of a turn. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
};

function setup({ open = true, holdSettling = false } = {}) {
  const settling: (() => void)[] = [];
  const sender = new HandSender();
  const handlers = new Map<string, (body: { deviceId: string }) => void>();
  const connected: ((deviceId: string) => void)[] = [];
  const errors: unknown[] = [];
  const dispatcher = new DispatchScheduler(
    sender as unknown as DispatchService,
    {
      settleOrphans: (deviceId: string) => {
        sender.story.push(`settle ${deviceId}`);
        const { promise, resolve } = Promise.withResolvers<undefined>();
        settling.push(() => {
          resolve(undefined);
        });
        return holdSettling ? promise : Promise.resolve();
      },
    } as unknown as AcknowledgementService,
    {
      listOpen: (deviceIds: readonly string[]) => {
        sender.story.push(`look ${deviceIds.join(', ')}`);
        return Promise.resolve(open ? deviceIds : []);
      },
    } as unknown as DispatchRepository,
    { onConnected: (handler: (deviceId: string) => void) => connected.push(handler) } as unknown as PresenceService,
    {
      on: (name: string, handler: (body: { deviceId: string }) => void) => {
        handlers.set(name, handler);
        return () => handlers.delete(name);
      },
    } as unknown as Signals,
    { setContext: () => undefined, error: (fields: unknown) => errors.push(fields) } as unknown as PinoLogger,
  );
  dispatcher.onModuleInit();
  return {
    dispatcher,
    sender,
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
  it('sends at once when a command was queued, until there is nothing more', async () => {
    const { sender, signal } = setup();
    signal('command_queued', 'a');
    sender.steps[0]?.end(true);
    await settle();
    sender.steps[1]?.end(false);
    await settle();
    expect(sender.story).toEqual(['send a', 'send a']);
  });

  it('looks before it opens a transaction when a lane became free', async () => {
    const idle = setup({ open: false });
    idle.signal('command_settled', 'a');
    await settle();
    expect(idle.sender.story).toEqual(['look a']);
    const busy = setup();
    busy.signal('command_settled', 'a');
    await settle();
    expect(busy.sender.story).toEqual(['look a', 'send a']);
  });

  it('settles what an earlier boot left, and sends again, before it sends anew to a device that came online', async () => {
    const { sender, connect } = setup();
    connect('a');
    await settle();
    expect(sender.story).toEqual(['look a', 'settle a', 'resend a', 'send a']);
  });

  it('works for a device once at a time, and does what was asked for meanwhile afterwards, the strongest only', async () => {
    const { sender, signal, connect } = setup();
    signal('command_queued', 'a');
    signal('command_settled', 'a');
    connect('a');
    signal('command_queued', 'a');
    await settle();
    expect(sender.story).toEqual(['send a']);
    sender.steps[0]?.end(false);
    await settle();
    expect(sender.story).toEqual(['send a', 'look a', 'settle a', 'resend a', 'send a']);
  });

  it('works for two hundred devices at a time, the others in their order', async () => {
    const { sender, signal } = setup();
    for (let n = 0; n < 203; n++) {
      signal('command_queued', String(n));
    }
    expect(sender.steps).toHaveLength(200);
    sender.steps[3]?.end(false);
    await settle();
    expect(sender.steps.map(({ deviceId }) => deviceId)).toEqual(Array.from({ length: 201 }, (_, n) => String(n)));
  });

  it('looks at many devices at once', async () => {
    const { sender, signal } = setup();
    ['a', 'b', 'c'].forEach((deviceId) => {
      signal('command_settled', deviceId);
    });
    await settle();
    expect(sender.story).toEqual(['look a, b, c', 'send a', 'send b', 'send c']);
  });

  it('catches up with eight devices at a time when all of them come back, each by a transaction of its own', async () => {
    const { sender, connect, settling } = setup({ holdSettling: true });
    for (let n = 0; n < 20; n++) {
      connect(String(n));
    }
    await settle();
    expect(settling).toHaveLength(8);
    settling[0]?.();
    await settle();
    expect(settling).toHaveLength(9);
    expect(sender.story.filter((step) => step.startsWith('resend'))).toEqual(['resend 0']);
  });

  it('goes on with the others when one fails', async () => {
    const { sender, signal, errors } = setup();
    signal('command_queued', 'a');
    sender.steps[0]?.fail(new Error('database away'));
    await settle();
    signal('command_queued', 'a');
    expect(sender.steps).toHaveLength(2);
    expect(errors).toHaveLength(1);
  });

  it('ends after the step under way, and takes nothing new', async () => {
    const { dispatcher, sender, handlers, connect } = setup();
    connect('a');
    await settle();
    const ended = dispatcher.beforeApplicationShutdown();
    dispatcher.wake('b');
    sender.steps[0]?.end(true);
    await ended;
    expect(sender.story).toEqual(['look a', 'settle a', 'resend a', 'send a']);
    expect(handlers.size).toBe(0);
  });

  it('remembers a bounded number of devices: the sweep finds the rest', () => {
    const { dispatcher, sender } = setup();
    for (let n = 0; n < 60_000; n++) {
      dispatcher.wake(String(n));
    }
    expect(sender.steps).toHaveLength(200);
    expect(dispatcher.waiting).toBe(50_000);
  });
});

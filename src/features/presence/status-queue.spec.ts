import { describe, expect, it } from '@jest/globals';
import type { BrokerClientFactory } from '../../platform/mqtt/broker-client-factory.js';
import type { DeviceLimiter } from '../../platform/mqtt/limits/device-limiter.js';
import type { RejectedMessages } from '../../platform/mqtt/rejected-messages.js';
import { SystemClock } from '../../shared/system-clock.js';
import type { PresenceService } from './presence.service.js';
import { BirthRegistry } from './birth-registry.js';
import { StatusQueue, type StatusReport } from './status-queue.js';

/** Each status is recorded when the test says so. */
function build({ pauseMs = 0, admitsBoot = true, recordedBefore = false } = {}) {
  const recorded: string[] = [];
  const refused: string[] = [];
  const ends: (() => void)[] = [];
  const record = (what: string): Promise<void> => {
    recorded.push(what);
    return new Promise((resolve) => {
      ends.push(resolve);
    });
  };
  const clock = new SystemClock();
  const births = new BirthRegistry(clock);
  const queue = new StatusQueue(
    {
      births,
      openLink: (_id: string, _link: string, { boot }: { boot: string }) => record(`birth ${boot}`),
      closeLink: (_id: string, _link: string, { boot }: { boot: string }) => record(`will ${boot}`),
    } as unknown as PresenceService,
    {
      admitsBoot: () => admitsBoot,
      countStatus: () => undefined,
      statusPauseMs: () => (recorded.length === 0 && !recordedBefore ? 0 : pauseMs),
    } as unknown as DeviceLimiter,
    { message: (code: string) => refused.push(code) } as unknown as RejectedMessages,
    clock,
    { external: false } as BrokerClientFactory,
  );
  const next = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    ends.splice(0).forEach((end) => {
      end();
    });
    await new Promise((resolve) => setTimeout(resolve, recordedBefore ? 0 : pauseMs + 5));
  };
  return { queue, births, recorded, refused, next };
}

const birth = (boot: string): StatusReport => ({ online: true, birth: { boot, uptimeMs: 1 } });
const will = (boot: string): StatusReport => ({ online: false, boot });

describe('StatusQueue', () => {
  it('records one status of a device at a time, and of those that wait the newest birth', async () => {
    const { queue, recorded, refused, next } = build();
    for (const boot of ['a', 'b', 'c', 'd']) {
      void queue.report('device', 'mqtt', birth(boot));
    }
    void queue.report('other', 'mqtt', birth('x'));
    await next();
    await next();
    expect(recorded).toEqual(['birth a', 'birth x', 'birth d']);
    expect(refused).toEqual(['too_many_statuses', 'too_many_statuses']);
  });

  it('keeps a will with the birth that it follows', async () => {
    const { queue, recorded, refused, next } = build();
    void queue.report('device', 'mqtt', birth('a'));
    void queue.report('device', 'mqtt', will('old'));
    void queue.report('device', 'mqtt', birth('b'));
    void queue.report('device', 'mqtt', will('b'));
    await next();
    await next();
    await next();
    expect(recorded).toEqual(['birth a', 'birth b', 'will b']);
    expect(refused).toEqual(['too_many_statuses']);
  });

  it('keeps the will of the birth that waits when that of an earlier boot comes late', async () => {
    const { queue, recorded, refused, next } = build();
    for (const report of [birth('a'), birth('b'), will('b'), will('a')]) {
      void queue.report('device', 'mqtt', report);
    }
    await next();
    await next();
    await next();
    expect(recorded).toEqual(['birth a', 'birth b', 'will b']);
    expect(refused).toEqual(['too_many_statuses']);
  });

  it('records at the end of the process what waits, without a pause', async () => {
    const { queue, recorded, next } = build({ pauseMs: 60_000, recordedBefore: true });
    await queue.report('device', 'mqtt', birth('a'));
    const ended = queue.beforeApplicationShutdown();
    await next();
    await ended;
    expect(recorded).toEqual(['birth a']);
  });

  it('records the last one after a pause when there were many', async () => {
    const { queue, recorded, next } = build({ pauseMs: 30 });
    const first = queue.report('device', 'mqtt', birth('a'));
    await next();
    await first;
    await queue.report('device', 'mqtt', birth('b'));
    expect(recorded).toEqual(['birth a']);
    await next();
    expect(recorded).toEqual(['birth a', 'birth b']);
  });

  it('tells when a boot started whose birth it holds back', async () => {
    const { queue, births } = build({ pauseMs: 60_000, recordedBefore: true });
    await queue.report('device', 'mqtt', { online: true, birth: { boot: 'a', uptimeMs: 5_000 } });
    await queue.report('device', 'mqtt', will('a'));
    expect(births.startedMsAgo('device', 'a')).toBeGreaterThanOrEqual(5_000);
    expect(births.startedMsAgo('device', 'b')).toBeUndefined();
    expect(births.startedMsAgo('other', 'a')).toBeUndefined();
    await queue.report('device', 'mqtt', { online: true, birth: { boot: 'b' } });
    expect(births.startedMsAgo('device', 'b')).toBeUndefined();
  });

  it('refuses the birth of a device that cannot have restarted so often', async () => {
    const { queue, recorded } = build({ admitsBoot: false });
    await expect(queue.report('device', 'mqtt', birth('a'))).rejects.toMatchObject({ code: 'too_many_boots' });
    expect(recorded).toEqual([]);
  });
});

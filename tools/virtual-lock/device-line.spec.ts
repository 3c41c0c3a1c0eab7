import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LockBench } from './lock-bench.js';

let bench: LockBench;
beforeEach(async () => {
  bench = await LockBench.open();
});
afterEach(() => bench.close());

describe('the line of a lock', () => {
  it('is subscribed before its retained birth is out', async () => {
    const lock = bench.lock();
    await lock.start();
    expect(bench.heard.map(({ channel }) => channel)).toEqual(['subscribed', 'status']);
    expect(bench.heard[0]?.body.topics).toEqual([
      `v1/devices/${bench.deviceId}/receipts`,
      `v1/devices/${bench.deviceId}/commands`,
    ]);
    expect(bench.heard[1]).toMatchObject({
      retain: true,
      body: { online: true, boot: lock.bootId, uptimeMs: expect.any(Number), lockState: 'locked', doorState: 'closed' },
    });
  });

  it('ends with the last will when the power fails', async () => {
    const lock = bench.lock();
    await lock.start();
    const boot = lock.bootId;
    lock.kill();
    const will = await bench.until('the will', () => bench.heard.find(({ body }) => body.online === false));
    expect(will).toEqual({ channel: 'status', retain: true, body: { online: false, boot } });
  });

  it('ends with one goodbye, and no will, when it is stopped', async () => {
    const lock = bench.lock();
    await lock.start();
    const boot = lock.bootId;
    await lock.stop();
    await bench.until('the disconnect', () => bench.broker.connectedClients === 0);
    expect(bench.on('status').slice(1)).toEqual([{ online: false, boot }]);
  });

  it('beats', async () => {
    const lock = bench.lock({ heartbeatMs: 10 });
    await lock.start();
    const [first, second] = await bench.until(
      'two heartbeats',
      () => bench.on('heartbeat').length >= 2 && bench.on('heartbeat'),
    );
    expect(first).toMatchObject({ boot: lock.bootId, battery: 96 });
    expect(Number(second?.uptimeMs)).toBeGreaterThan(Number(first?.uptimeMs));
  });

  it('comes back with the same boot after a cut, and never repeats what had arrived', async () => {
    const lock = bench.lock();
    await lock.start();
    const before = bench.order(lock);
    await bench.publish('commands', before);
    await bench.verdictOn(before.commandId);
    bench.cut();
    await bench.until('a second birth', () => bench.on('status').filter(({ online }) => online === true).length === 2);
    expect(new Set(bench.on('status').map(({ boot }) => boot))).toEqual(new Set([lock.bootId]));
    const after = bench.order(lock, { name: 'lock_door' });
    await bench.publish('commands', after);
    await bench.verdictOn(after.commandId);
    expect(bench.acksOf(before.commandId)).toEqual(['received', 'executing', 'executed']);
    expect(bench.acksOf(after.commandId)).toEqual(['received', 'executing', 'executed']);
  });

  it('brings the verdict after an outage that fell between moving and answering', async () => {
    const lock = bench.lock({ fault: 'slow=300' });
    await lock.start();
    const sent = bench.order(lock);
    await bench.publish('commands', sent);
    await bench.until('executing', () => bench.acksOf(sent.commandId).includes('executing'));
    bench.unplug();
    await bench.until('the movement', () => lock.actuations().length === 1);
    expect(bench.acksOf(sent.commandId)).toEqual(['received', 'executing']);
    await bench.plug();
    await bench.verdictOn(sent.commandId);
    expect(lock.actuations()).toHaveLength(1);
  });

  it('does not come up with a wrong token, says why, and never prints it', async () => {
    const lock = bench.lock({ token: 'a-wrong-secret' });
    const start = lock.start();
    await bench.until('an explanation', () => bench.told.some((line) => line.includes('check --id and --token')));
    expect(lock.online).toBe(false);
    lock.kill();
    await expect(start).rejects.toThrow('ended before');
    expect(bench.told.join('\n')).not.toContain('a-wrong-secret');
  });
});

describe('events', () => {
  it('are sent again until a receipt covers them', async () => {
    const lock = bench.lock({ eventRetryMs: 20 });
    await lock.start();
    lock.report({ type: 'motion_detected', data: { zone: 'front' } });
    lock.report({ type: 'motion_detected', data: { zone: 'back' } });
    await bench.until(
      'repetitions',
      () =>
        bench
          .on('events')

          .filter((event) => event.seq === 1).length >= 3,
    );
    await bench.publish('receipts', { boot: lock.bootId, seq: 1 });
    await bench.until('the receipt', () => lock.eventsWaiting === 1);
    await bench.publish('receipts', { boot: 'another', seq: 2 });
    await bench.publish('receipts', { boot: lock.bootId, seq: 99 });
    expect(lock.eventsWaiting).toBe(1);
    await bench.publish('receipts', { boot: lock.bootId, seq: 2 });
    await bench.until('the last receipt', () => lock.eventsWaiting === 0);
  });

  it('of an outage are all there after it, in order', async () => {
    const lock = bench.lock();
    await lock.start();
    bench.cut();
    await bench.until('the cut', () => !lock.online);
    for (let n = 0; n < 150; n += 1) {
      lock.report({ type: 'custom', data: { n } });
    }
    await bench.until('all of them', () => bench.on('events').length >= 150);
    expect(
      bench
        .on('events')

        .map((event) => event.seq),
    ).toEqual(Array.from({ length: 150 }, (_, n) => n + 1));
  });
});

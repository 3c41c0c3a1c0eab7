import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { VirtualLockHarness } from './virtual-lock-harness.js';

let harness: VirtualLockHarness;
beforeEach(async () => {
  harness = await VirtualLockHarness.start();
});
afterEach(() => harness.stop());

describe('the line of a lock', () => {
  it('is subscribed before its retained birth is out', async () => {
    const lock = harness.lock();
    await lock.start();
    expect(harness.received.map(({ channel }) => channel)).toEqual(['subscribed', 'status']);
    expect(harness.received[0]?.body.topics).toEqual([
      `v1/devices/${harness.deviceId}/receipts`,
      `v1/devices/${harness.deviceId}/commands`,
      `v1/devices/${harness.deviceId}/settings`,
    ]);
    expect(harness.received[1]).toMatchObject({
      retain: true,
      body: { online: true, boot: lock.bootId, uptimeMs: expect.any(Number), lockState: 'locked', doorState: 'closed' },
    });
  });

  it('ends with the last will when the power fails', async () => {
    const lock = harness.lock();
    await lock.start();
    const boot = lock.bootId;
    lock.kill();
    const will = await harness.until('the will', () => harness.received.find(({ body }) => body.online === false));
    expect(will).toEqual({ channel: 'status', retain: true, body: { online: false, boot } });
  });

  it('ends with one goodbye, and no will, when it is stopped', async () => {
    const lock = harness.lock();
    await lock.start();
    const boot = lock.bootId;
    await lock.stop();
    await harness.until('the disconnect', () => harness.broker.connectedClients === 0);
    expect(harness.on('status').slice(1)).toEqual([{ online: false, boot }]);
  });

  it('beats', async () => {
    const lock = harness.lock({ heartbeatMs: 10 });
    await lock.start();
    const [first, second] = await harness.until(
      'two heartbeats',
      () => harness.on('heartbeat').length >= 2 && harness.on('heartbeat'),
    );
    expect(first).toMatchObject({ boot: lock.bootId, battery: 96 });
    expect(Number(second?.uptimeMs)).toBeGreaterThan(Number(first?.uptimeMs));
  });

  it('comes back with the same boot after a cut, and never repeats what had arrived', async () => {
    const lock = harness.lock();
    await lock.start();
    const before = harness.order(lock);
    await harness.publish('commands', before);
    await harness.verdictOn(before.commandId);
    harness.dropConnections();
    await harness.until(
      'a second birth',
      () => harness.on('status').filter(({ online }) => online === true).length === 2,
    );
    expect(new Set(harness.on('status').map(({ boot }) => boot))).toEqual(new Set([lock.bootId]));
    const after = harness.order(lock, { name: 'lock_door' });
    await harness.publish('commands', after);
    await harness.verdictOn(after.commandId);
    expect(harness.acksOf(before.commandId)).toEqual(['received', 'executing', 'executed']);
    expect(harness.acksOf(after.commandId)).toEqual(['received', 'executing', 'executed']);
  });

  it('brings the verdict after an outage that fell between moving and answering', async () => {
    const lock = harness.lock({ fault: 'slow=300' });
    await lock.start();
    const sent = harness.order(lock);
    await harness.publish('commands', sent);
    await harness.until('executing', () => harness.acksOf(sent.commandId).includes('executing'));
    harness.stopBroker();
    await harness.until('the movement', () => lock.actuations().length === 1);
    expect(harness.acksOf(sent.commandId)).toEqual(['received', 'executing']);
    await harness.startBroker();
    await harness.verdictOn(sent.commandId);
    expect(lock.actuations()).toHaveLength(1);
  });

  it('does not come up with a wrong token, says why, and never prints it', async () => {
    const lock = harness.lock({ token: 'a-wrong-secret' });
    const start = lock.start();
    await harness.until('an explanation', () => harness.logged.some((line) => line.includes('check --id and --token')));
    expect(lock.online).toBe(false);
    lock.kill();
    await expect(start).rejects.toThrow('ended before');
    expect(harness.logged.join('\n')).not.toContain('a-wrong-secret');
  });
});

describe('events', () => {
  it('are sent again until a receipt covers them', async () => {
    const lock = harness.lock({ eventRetryMs: 20 });
    await lock.start();
    lock.report({ type: 'motion_detected', data: { zone: 'front' } });
    lock.report({ type: 'motion_detected', data: { zone: 'back' } });
    await harness.until(
      'repetitions',
      () =>
        harness
          .on('events')

          .filter((event) => event.seq === 1).length >= 3,
    );
    await harness.publish('receipts', { boot: lock.bootId, seq: 1 });
    await harness.until('the receipt', () => lock.eventsWaiting === 1);
    await harness.publish('receipts', { boot: 'another', seq: 2 });
    await harness.publish('receipts', { boot: lock.bootId, seq: 99 });
    expect(lock.eventsWaiting).toBe(1);
    await harness.publish('receipts', { boot: lock.bootId, seq: 2 });
    await harness.until('the last receipt', () => lock.eventsWaiting === 0);
  });

  it('of an outage are all there after it, in order', async () => {
    const lock = harness.lock();
    await lock.start();
    harness.dropConnections();
    await harness.until('the cut', () => !lock.online);
    for (let n = 0; n < 150; n += 1) {
      lock.report({ type: 'custom', data: { n } });
    }
    await harness.until('all of them', () => harness.on('events').length >= 150);
    expect(
      harness
        .on('events')

        .map((event) => event.seq),
    ).toEqual(Array.from({ length: 150 }, (_, n) => n + 1));
  });
});

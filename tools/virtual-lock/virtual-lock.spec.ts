import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { VirtualLockHarness } from './virtual-lock-harness.js';
import { TestSigner } from './signer.js';

let harness: VirtualLockHarness;
beforeEach(async () => {
  harness = await VirtualLockHarness.start();
});
afterEach(() => harness.stop());

describe('an order', () => {
  it('moves the bolt once, however often it is delivered', async () => {
    const lock = harness.lock();
    await lock.start();
    const sent = harness.order(lock);
    await harness.publish('commands', sent);
    await harness.verdictOn(sent.commandId);
    for (let n = 0; n < 4; n += 1) {
      await harness.publish('commands', sent);
    }
    await harness.until('five answers', () => harness.acksOf(sent.commandId).length === 7);
    expect(harness.acksOf(sent.commandId)).toEqual([
      'received',
      'executing',
      'executed',
      ...Array<string>(4).fill('executed'),
    ]);
    expect(lock.actuations()).toMatchObject([
      { commandId: sent.commandId, action: 'unlock_door', counter: 1, boot: lock.bootId },
    ]);
    expect(harness.on('events')).toMatchObject([
      { seq: 1, data: { lockState: 'unlocked', commandId: sent.commandId } },
    ]);
    expect(lock.lockState).toBe('unlocked');
  });

  it('is answered executing, and not begun again, while it is carried out', async () => {
    const lock = harness.lock({ fault: 'slow=100' });
    await lock.start();
    const sent = harness.order(lock);
    await harness.publish('commands', sent);
    await harness.publish('commands', sent);
    await harness.verdictOn(sent.commandId);
    expect(harness.acksOf(sent.commandId)).toEqual(['received', 'executing', 'executing', 'executed']);
    expect(lock.actuations()).toHaveLength(1);
  });

  it('is on disk before the lock says that it was carried out', async () => {
    const lock = harness.lock();
    await lock.start();
    const sent = harness.order(lock);
    const onDisk = new Promise<number>((resolve) => {
      harness.broker.on('publish', ({ payload }) => {
        if (payload.includes('executed')) {
          resolve(lock.actuations().length);
        }
      });
    });
    await harness.publish('commands', sent);
    expect(await onDisk).toBe(1);
  });

  it('for a time only ends by itself', async () => {
    const lock = harness.lock();
    await lock.start();
    const sent = harness.order(lock, { payload: { durationMs: 1000 } });
    await harness.publish('commands', sent);
    await harness.until('the relocking', () => lock.actuations().length === 2);
    const [opened, closed] = lock.actuations();
    expect(closed).toMatchObject({ action: 'auto_lock', commandId: sent.commandId, boot: lock.bootId });
    expect(Number(closed?.uptimeMs) - Number(opened?.uptimeMs)).toBeGreaterThanOrEqual(1000);
    await harness.until('both reports', () => harness.on('events').length === 2);
    expect(lock.lockState).toBe('locked');
  });

  it('is refused by its deadline also when the lock itself was slow', async () => {
    const lock = harness.lock({ fault: 'slow=150' });
    await lock.start();
    const sent = harness.order(lock, { expiresAtUptimeMs: lock.uptimeMs + 100 });
    await harness.publish('commands', sent);
    expect(await harness.verdictOn(sent.commandId)).toMatchObject({ status: 'failed', errorCode: 'deadline_passed' });
    expect(lock.actuations()).toEqual([]);
  });

  it('is refused when an older one arrives after it', async () => {
    const lock = harness.lock();
    await lock.start();
    const [older, newer] = [harness.order(lock), harness.order(lock, { name: 'lock_door' })];
    await harness.publish('commands', newer);
    await harness.publish('commands', older);
    expect(await harness.verdictOn(older.commandId)).toMatchObject({ status: 'failed', errorCode: 'stale_counter' });
    expect(lock.actuations().map(({ action }) => action)).toEqual(['lock_door']);
  });

  it('is refused when the broker kept it', async () => {
    const lock = harness.lock();
    const sent = harness.order(lock, { boot: 'any' });
    await harness.publish('commands', sent, true);
    await lock.start();
    expect(await harness.verdictOn(sent.commandId)).toMatchObject({ status: 'failed', errorCode: 'retained_message' });
  });

  it('is refused by the next boot, but answered as it went if it was carried out', async () => {
    const lock = harness.lock();
    await lock.start();
    const [done, lost] = [harness.order(lock), harness.order(lock)];
    await harness.publish('commands', done);
    await harness.verdictOn(done.commandId);
    lock.kill();
    await lock.start();
    harness.received.length = 0;
    await harness.publish('commands', done);
    await harness.publish('commands', lost);
    expect(await harness.verdictOn(done.commandId)).toMatchObject({
      status: 'executed',
      result: { lockState: 'unlocked' },
    });
    expect(await harness.verdictOn(lost.commandId)).toMatchObject({ status: 'failed', errorCode: 'wrong_boot' });
    expect(lock.actuations()).toHaveLength(1);
  });

  it('under a kid that is not known makes the lock look at the keys once, not for every such order', async () => {
    let looks = 0;
    const keys = (): Promise<unknown> => {
      looks += 1;
      return Promise.resolve({ keys: [new TestSigner('other').publicJwk] });
    };
    const lock = harness.lock({ keys });
    await lock.start();
    for (let n = 0; n < 5; n += 1) {
      const sent = harness.order(lock);
      await harness.publish('commands', sent);
      expect(await harness.verdictOn(sent.commandId)).toMatchObject({ status: 'failed', errorCode: 'unknown_key' });
    }
    expect(looks).toBe(1);
  });

  it('to restart is answered, and makes a new boot', async () => {
    const lock = harness.lock();
    await lock.start();
    const [boot, sent] = [lock.bootId, harness.order(lock, { name: 'restart_device' })];
    await harness.publish('commands', sent);
    expect(await harness.verdictOn(sent.commandId)).toMatchObject({ status: 'executed' });
    const birth = await harness.until('a new birth', () =>
      harness.on('status').find((status) => status.online === true && status.boot !== boot),
    );
    expect(birth.boot).toBe(lock.bootId);
  });

  it('in any malformed message is survived', async () => {
    const lock = harness.lock();
    await lock.start();
    for (const body of [
      null,
      7,
      'x',
      [],
      {},
      { order: '{}', kid: 'spec', signature: '' },
      { order: 'x'.repeat(70_000), kid: '', signature: '' },
    ]) {
      await harness.publish('commands', body);
      await harness.publish('receipts', body);
    }
    const sent = harness.order(lock);
    await harness.publish('commands', sent);
    expect(await harness.verdictOn(sent.commandId)).toMatchObject({ status: 'executed' });
  });
});

describe('after a crash between moving and answering', () => {
  it('a lock closes what was open for a time, and knows the order when it comes again', async () => {
    const lock = harness.lock({ fault: 'crash-after-move' });
    await lock.start();
    const sent = harness.order(lock, { payload: { durationMs: 30_000 } });
    await harness.publish('commands', sent);
    await harness.until('the crash', () => lock.bootId === undefined);
    expect(harness.acksOf(sent.commandId)).not.toContain('executed');

    const again = harness.lock();
    await again.start();
    expect(harness.on('status').at(-1)).toMatchObject({ online: true, boot: again.bootId, lockState: 'locked' });
    expect(again.actuations().map(({ action }) => action)).toEqual(['unlock_door', 'auto_lock']);
    await harness.publish('commands', sent);
    expect(await harness.verdictOn(sent.commandId)).toMatchObject({ status: 'executed' });
    expect(again.actuations()).toHaveLength(2);
  });

  it('a lock leaves open what was open until further notice, and says so in its birth', async () => {
    const lock = harness.lock({ fault: 'crash-after-move' });
    await lock.start();
    await harness.publish('commands', harness.order(lock));
    await harness.until('the crash', () => lock.bootId === undefined);
    await harness.lock().start();
    expect(harness.on('status').at(-1)).toMatchObject({ online: true, lockState: 'unlocked' });
  });
});

describe('a fault', () => {
  it.each([
    ['deaf', [], 0],
    ['forget-acks', [], 1],
    ['ack-only', ['received', 'executing', 'executed'], 0],
    ['jam', ['received', 'executing', 'failed'], 0],
    ['duplicate-acks', ['received', 'received', 'executing', 'executing', 'executed', 'executed'], 1],
    ['acks-out-of-order', ['executed', 'executing', 'received'], 1],
  ])('%s: acks %j and moves %i times', async (fault, acks, movements) => {
    const lock = harness.lock({ fault });
    await lock.start();
    const sent = harness.order(lock);
    await harness.publish('commands', sent);
    await harness.until('what it does', () =>
      harness.logged.some((line) => line.includes('"kind":"order"') && /deaf|executed|failed/.test(line)),
    );
    await harness.until('its acks', () => harness.acksOf(sent.commandId).length === acks.length);
    expect(harness.acksOf(sent.commandId)).toEqual(acks);
    expect(lock.actuations()).toHaveLength(movements);
  });

  it('drift makes its uptime run fast, and its deadlines come early', async () => {
    const lock = harness.lock({ fault: 'drift=10' });
    await lock.start();
    const sent = harness.order(lock, { expiresAtUptimeMs: lock.uptimeMs + 200 });
    const then = lock.uptimeMs;
    await harness.until('20 true milliseconds or more', () => lock.uptimeMs >= then + 200);
    await harness.publish('commands', sent);
    expect(await harness.verdictOn(sent.commandId)).toMatchObject({ errorCode: 'deadline_passed' });
  });
});

describe('settings', () => {
  const taken = (): unknown[] => harness.on('events').filter(({ type }) => type === 'settings_updated');

  it('are taken, confirmed once with what of them the lock has, and obeyed', async () => {
    const lock = harness.lock();
    await lock.start();
    const settings = { autoLockTimeoutMs: 1_000, motionSensitivity: 5, custom: { led: true } };
    await harness.publish('settings', { version: 3, settings }, true);
    await harness.publish('settings', { version: 3, settings }, true);
    await harness.publish('settings', 'nonsense');
    await harness.publish('settings', { version: 4, settings: { autoLockTimeoutMs: 1 } });
    await harness.publish('settings', { version: 5, settings: { autoLockTimeoutMs: 1_000 } });
    await harness.until('three confirmations', () => taken().length === 3);
    expect(taken()).toMatchObject([
      { data: { version: 3, settings: { autoLockTimeoutMs: 1_000, custom: { led: true } } } },
      { data: { version: 4, settings: {} } },
      { data: { version: 5 } },
    ]);
    const { commandId, ...order } = harness.order(lock);
    await harness.publish('commands', order);
    await harness.verdictOn(commandId);
    await harness.until('the bolt locks by itself', () => lock.lockState === 'locked');
    expect(lock.actuations().map(({ action }) => action)).toEqual(['unlock_door', 'auto_lock']);
  });
});

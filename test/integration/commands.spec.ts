import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AckStatus } from '../../src/contracts/commands.js';
import { CompletionWaiters } from '../../src/features/commands/completion-waiters.js';
import { CommandHarness, commandsPath } from '../support/command-harness.js';
import type { ScriptedDevice } from '../support/scripted-device.js';
import { eventually } from '../support/wait.js';

describe('a command, from the request to the lock and back', () => {
  let harness: CommandHarness;
  beforeAll(async () => {
    harness = await CommandHarness.start();
  });
  afterAll(() => harness.stop());

  const say = async (lock: ScriptedDevice, commandId: string, ...statuses: AckStatus[]): Promise<void> => {
    for (const status of statuses) {
      await lock.ack({ commandId, status });
    }
  };

  it('carries an unlock to the lock and answers with the outcome', async () => {
    const beforeBirth = performance.now();
    const lock = await harness.connectDevice();
    const answer = harness.send(lock.id, 'unlock_door', { payload: { durationMs: 5_000 }, waitSeconds: 10 });
    const order = await lock.waitForOrder();
    const age = performance.now() - beforeBirth;
    expect(order).toMatchObject({
      name: 'unlock_door',
      payload: { durationMs: 5_000 },
      deviceId: lock.id,
      boot: lock.boot,
    });
    expect(order.counter).toBe(1);
    expect(order.expiresAtUptimeMs).toBeGreaterThan(60_000 + 13_000);
    expect(order.expiresAtUptimeMs).toBeLessThanOrEqual(60_000 + age + 15_000);
    expect(await harness.hasValidSignature(lock.signedOrders[0] ?? { order: '', kid: '', signature: '' })).toBe(true);
    await say(lock, order.commandId, 'received', 'executing');
    await lock.ack({ commandId: order.commandId, status: 'executed', result: { movedMs: 412 } });

    const { status, headers, body } = await answer;
    expect(status).toBe(200);
    expect(headers.get('preference-applied')).toBe('wait=10');
    expect(body).toMatchObject({
      id: order.commandId,
      state: 'EXECUTED',
      confirmedBy: 'ack',
      result: { movedMs: 412 },
      attempts: 1,
      version: 5,
    });
    expect(headers.get('location')).toBe(commandsPath(lock.id, `/${order.commandId}`));
    expect((await harness.request('GET', commandsPath(lock.id, `/${order.commandId}`))).body).toEqual(body);
    expect(await harness.eventTypes(order.commandId)).toEqual([
      'command_created',
      'command_sent',
      'command_received',
      'command_executing',
      'command_executed',
    ]);
    const [{ actors } = { actors: [] }] = await harness.rows<{ actors: string[] }>(
      'SELECT array_agg(actor ORDER BY version) AS actors FROM events WHERE command_id = $1',
      [order.commandId],
    );
    const device = `device:${lock.id}`;
    expect(actors).toEqual([`user:${harness.owner.id}`, 'system', device, device, device]);
  });

  it('answers 202 at once without a wait, and 202 with the present state when the wait was too short', async () => {
    const lock = await harness.connectDevice();
    const begun = performance.now();
    const answer = harness.send(lock.id, 'unlock_door', { waitSeconds: 3 });
    const { commandId } = await lock.waitForOrder();
    await say(lock, commandId, 'executing');
    expect(await answer).toMatchObject({ status: 202, body: { id: commandId, state: 'EXECUTING' } });
    expect(performance.now() - begun).toBeGreaterThan(2_950);
    expect((await harness.send(lock.id, 'unlock_door')).status).toBe(202);
  });

  it('ends the wait at once when the device is deleted meanwhile, for the first request and for its repeat', async () => {
    const device = await harness.registerDevice();
    const key = randomUUID();
    const first = harness.send(device.id, 'lock_door', { key, waitSeconds: 20 });
    await eventually('the command is queued', async () => {
      return (await harness.rows('SELECT 1 FROM commands WHERE device_id = $1', [device.id])).length === 1;
    });
    const repeat = harness.send(device.id, 'lock_door', { key, waitSeconds: 20 });
    const waiters = harness.app.get(CompletionWaiters);
    await eventually('both wait', () => waiters.size === 2);
    const begun = performance.now();
    expect((await harness.request('DELETE', `/api/v1/devices/${device.id}`)).status).toBe(204);
    for (const { status, body } of await Promise.all([first, repeat])) {
      expect([status, body.code]).toEqual([404, 'not_found']);
    }
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it('answers with the outcome although the signal was lost', async () => {
    const lock = await harness.connectDevice();
    const answer = harness.send(lock.id, 'unlock_door', { waitSeconds: 10 });
    const { commandId } = await lock.waitForOrder();
    await harness.rows(`UPDATE commands SET state = 'FAILED', finished_at = now() WHERE id = $1`, [commandId]);
    expect((await answer).body).toMatchObject({ state: 'FAILED' });
  });

  it('refuses an unlock for a lock without a link, and lets a lock_door wait for it', async () => {
    const device = await harness.registerDevice();
    const refused = await harness.send(device.id, 'unlock_door');
    expect([refused.status, refused.body.code]).toEqual([409, 'device_offline']);
    const id = await harness.sendAccepted(device.id, 'lock_door');
    expect((await harness.command(id)).state).toBe('QUEUED');
    const lock = await harness.connectDevice(device);
    expect((await lock.waitForOrder()).commandId).toBe(id);
    await say(lock, id, 'executed');
    expect((await harness.waitForState(id, 'EXECUTED')).expires_at.getTime() - Date.now()).toBeGreaterThan(
      23 * 3_600_000,
    );
  });

  it('waits for the outcome of a repeat as well', async () => {
    const lock = await harness.connectDevice();
    const key = randomUUID();
    const first = await harness.send(lock.id, 'unlock_door', { key });
    const repeat = harness.send(lock.id, 'unlock_door', { key, waitSeconds: 10 });
    await say(lock, (await lock.waitForOrder()).commandId, 'executed');
    expect(await repeat).toMatchObject({ status: 200, body: { id: first.body.id, state: 'EXECUTED' } });
    const settled = await harness.send(lock.id, 'unlock_door', { key, waitSeconds: 10 });
    expect(settled).toMatchObject({ status: 200, body: { id: first.body.id, state: 'EXECUTED' } });
  });

  it('has one order in flight per lane: an unanswered snapshot blocks no bolt, and lock_door is sent first', async () => {
    const device = await harness.registerDevice();
    const snapshot = await harness.sendAccepted(device.id, 'request_snapshot');
    const sync = await harness.sendAccepted(device.id, 'sync_access_codes');
    const lock = await harness.connectDevice(device);
    // An order in flight while the device reconnects is sent again with the same bytes: it counts once.
    const received = (): string[] => [...new Set(lock.orders.map(({ commandId }) => commandId))];
    const hears = (orders: number): Promise<string> => eventually('the next order', () => received()[orders - 1]);
    // Of two lanes that are served at once, either may be the first.
    expect(await hears(1)).toBe(snapshot);
    const first = await harness.sendAccepted(lock.id, 'unlock_door');
    expect(await hears(2)).toBe(first);
    const second = await harness.sendAccepted(lock.id, 'unlock_door');
    const urgent = await harness.sendAccepted(lock.id, 'lock_door');
    expect(received()).toEqual([snapshot, first]);
    await say(lock, first, 'executed');
    expect(await hears(3)).toBe(urgent);
    await say(lock, urgent, 'failed');
    expect(await hears(4)).toBe(second);
    expect((await harness.command(sync)).state).toBe('QUEUED');
    await say(lock, snapshot, 'executed');
    expect(await hears(5)).toBe(sync);
    expect([...new Set(lock.orders.map(({ counter }) => counter))]).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(lock.signedOrders.map((order) => JSON.stringify(order))).size).toBe(5);
  });

  it('settles with the first verdict, in whatever order acks arrive and however often', async () => {
    const orders: AckStatus[][] = [
      ['executed', 'executing', 'received'],
      ['executing', 'received', 'executed', 'executed'],
      ['received', 'received', 'executed', 'failed'],
      ['executing', 'executed', 'received', 'executing'],
    ];
    for (const statuses of orders) {
      const lock = await harness.connectDevice();
      const id = await harness.sendAccepted(lock.id, 'unlock_door');
      await lock.waitForOrder();
      await say(lock, id, ...statuses);
      const next = await harness.sendAccepted(lock.id, 'unlock_door');
      await lock.waitForOrder(2);
      await say(lock, next, 'executed');
      // Acks of one device are applied in their order: when the last one is, all before it have been applied.
      await harness.waitForState(next, 'EXECUTED');
      expect((await harness.command(id)).state).toBe('EXECUTED');
      const versions = await harness.rows<{ version: number }>(
        'SELECT version FROM events WHERE command_id = $1 ORDER BY xid, id',
        [id],
      );
      const numbers = versions.map(({ version }) => version);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    }
  });

  it('ignores the ack of one device for the command of another', async () => {
    const [victim, mallory] = [await harness.connectDevice(), await harness.connectDevice()];
    const id = await harness.sendAccepted(victim.id, 'unlock_door');
    await victim.waitForOrder();
    const own = await harness.sendAccepted(mallory.id, 'unlock_door');
    await mallory.waitForOrder();
    await mallory.ack({ commandId: id, status: 'executed' });
    await mallory.ack({ commandId: randomUUID(), status: 'executed' });
    await mallory.ack({ commandId: own, status: 'executed' });
    await harness.waitForState(own, 'EXECUTED');
    expect((await harness.command(id)).state).toBe('SENT');
  });

  it('sends the same bytes again to a lock that reconnects with the same boot', async () => {
    const device = await harness.registerDevice();
    const lock = await harness.connectDevice(device);
    const id = await harness.sendAccepted(lock.id, 'unlock_door');
    await lock.waitForOrder();
    await lock.end();
    const back = await harness.connectDevice(device, lock.boot);
    await back.waitForOrder();
    expect(back.signedOrders[0]).toEqual(lock.signedOrders[0]);
    expect((await harness.command(id)).attempts).toBeGreaterThan(1);
    // More than twice, should it wait longer than the resend interval.
    const [created, ...sent] = await harness.eventTypes(id);
    expect([created, ...new Set(sent)]).toEqual(['command_created', 'command_sent']);
    expect(sent.length).toBeGreaterThan(1);
    await say(back, id, 'executed');
    await harness.waitForState(id, 'EXECUTED');
  });

  it('sends unanswered orders again, and starts no new order instead', async () => {
    const lock = await harness.connectDevice();
    const id = await harness.sendAccepted(lock.id, 'unlock_door');
    await lock.waitForOrder(2);
    expect(lock.signedOrders[1]).toEqual(lock.signedOrders[0]);
    await say(lock, id, 'executed');
    await harness.waitForState(id, 'EXECUTED');
  });

  it('never sends an order to another boot, and settles it by the report of that boot', async () => {
    const cases = [
      { name: 'lock_door', birth: { lockState: 'locked' }, state: 'EXECUTED', confirmedBy: 'state_report' },
      { name: 'lock_door', birth: { lockState: 'unlocked' }, state: 'TIMED_OUT', confirmedBy: 'none' },
      { name: 'unlock_door', birth: {}, state: 'TIMED_OUT', confirmedBy: 'none' },
      { name: 'restart_device', birth: {}, state: 'EXECUTED', confirmedBy: 'state_report' },
    ] as const;
    for (const { name, birth, state, confirmedBy } of cases) {
      const device = await harness.registerDevice();
      const before = await harness.connectDevice(device);
      const id = await harness.sendAccepted(before.id, name);
      await before.waitForOrder();
      await before.end();
      const after = await harness.connectDevice(device, randomUUID(), birth);
      const row = await harness.waitForState(id, state);
      expect([row.confirmed_by, row.error_code]).toEqual([
        confirmedBy,
        state === 'TIMED_OUT' ? 'device_restarted' : null,
      ]);
      const next = await harness.sendAccepted(after.id, name);
      expect((await after.waitForOrder()).commandId).toBe(next);
      if (state === 'TIMED_OUT') {
        await after.ack({ commandId: id, status: 'executed', result: { fromFlash: true } });
        await eventually('the late verdict', async () => (await harness.command(id)).late_result);
        expect((await harness.command(id)).late_result).toMatchObject({
          status: 'executed',
          result: { fromFlash: true },
        });
        expect((await harness.command(id)).state).toBe('TIMED_OUT');
      }
    }
  });

  it('is confirmed by a report of the wanted bolt position, before or after the verdict', async () => {
    const lock = await harness.connectDevice();
    const early = await harness.sendAccepted(lock.id, 'unlock_door');
    await lock.waitForOrder();
    await lock.report(1, { lockState: 'unlocked' });
    await eventually('the report', async () => (await harness.command(early)).confirmed_by === 'state_report');
    expect((await harness.command(early)).state).toBe('SENT');
    await say(lock, early, 'executed');
    expect((await harness.waitForState(early, 'EXECUTED')).confirmed_by).toBe('state_report');

    const late = await harness.sendAccepted(lock.id, 'lock_door');
    await eventually('the second order', () => lock.orders.some(({ commandId }) => commandId === late));
    await say(lock, late, 'executed');
    expect((await harness.waitForState(late, 'EXECUTED')).confirmed_by).toBe('ack');
    await lock.report(2, { lockState: 'not_fully_locked' });
    await lock.report(3, { lockState: 'locked', commandId: late });
    await eventually('the late report', async () => (await harness.command(late)).confirmed_by === 'state_report');
    expect((await harness.command(late)).version).toBe(4);
  });

  it('is sent by the sweep when no signal named it', async () => {
    const lock = await harness.connectDevice();
    const id = await harness.insertCommand(lock.id);
    expect((await lock.waitForOrder()).commandId).toBe(id);
    await say(lock, id, 'executed');
    await harness.waitForState(id, 'EXECUTED');
  });
});

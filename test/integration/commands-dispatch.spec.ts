import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CommandsService } from '../../src/features/commands/commands.service.js';
import { DispatchRepository, LaneBusyError } from '../../src/features/commands/dispatch/dispatch.repository.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import type { CommandHarness } from '../support/command-harness.js';
import { createAccount } from '../support/accounts.fixture.js';
import { ManualDispatch } from '../support/manual-dispatch.js';
import { eventually } from '../support/wait.js';

describe('dispatching, step by step', () => {
  let dispatch: ManualDispatch;
  let harness: CommandHarness;
  beforeAll(async () => {
    dispatch = await ManualDispatch.start();
    ({ harness } = dispatch);
  });
  afterAll(() => dispatch.stop());
  beforeEach(() => dispatch.deleteCommands());

  it('publishes a command once, however many processes race for it', async () => {
    const lock = await harness.connectDevice();
    for (let round = 1; round <= 20; round++) {
      const id = await harness.insertCommand(lock.id);
      await Promise.all(dispatch.senders.map((sender) => dispatch.sendAll(lock.id, sender)));
      expect((await lock.waitForOrder(round)).commandId).toBe(id);
      await dispatch.acknowledgements.acknowledge(lock.id, { commandId: id, status: 'executed' });
      expect(await harness.eventTypes(id)).toEqual(['command_sent', 'command_executed']);
    }
    // The same connection carries this last one: everything published before it has arrived.
    const last = await harness.insertCommand(lock.id);
    await dispatch.sendAll(lock.id);
    await lock.waitForOrder(21);
    expect(lock.orders.filter(({ commandId }) => commandId === last)).toHaveLength(1);
    expect(lock.signedOrders).toHaveLength(21);
    expect(lock.orders.map(({ counter }) => counter)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
  });

  it('sends one of two in the same lane, although two processes start at the same moment', async () => {
    for (let round = 0; round < 10; round++) {
      const lock = await harness.connectDevice();
      await harness.insertCommand(lock.id, 'unlock_door');
      const urgent = await harness.insertCommand(lock.id, 'lock_door');
      await Promise.all(dispatch.senders.map((sender) => dispatch.sendAll(lock.id, sender)));
      const states = await harness.rows<{ state: string; name: string }>(
        'SELECT state, name FROM commands WHERE device_id = $1 ORDER BY priority',
        [lock.id],
      );
      expect(states).toEqual([
        { state: 'SENT', name: 'lock_door' },
        { state: 'QUEUED', name: 'unlock_door' },
      ]);
      expect((await lock.waitForOrder()).commandId).toBe(urgent);
    }
  });

  it('relies on the database to refuse a second order in flight in a lane', async () => {
    const repository = dispatch.get(DispatchRepository);
    const transactions = dispatch.get(Transactions);
    const lock = await harness.connectDevice();
    const [first, second] = [await harness.insertCommand(lock.id), await harness.insertCommand(lock.id)];
    const racing = transactions.independently(async () => {
      const [next] = await repository.lockNext([lock.id]);
      await harness.rows(`UPDATE commands SET state = 'SENT' WHERE id = $1`, [next?.id === first ? second : first]);
      const signed = { order: '{}', kid: 'k', signature: 's' };
      return next && repository.markSent([{ next, signed, timeoutMs: 15_000 }]);
    });
    await expect(racing).rejects.toBeInstanceOf(LaneBusyError);
  });

  it('fills both lanes at once', async () => {
    const lock = await harness.connectDevice();
    await harness.insertCommand(lock.id, 'request_snapshot');
    await harness.insertCommand(lock.id, 'unlock_door');
    await dispatch.sendAll(lock.id);
    await lock.waitForOrder(2);
    expect(lock.orders.map(({ name }) => name)).toEqual(['unlock_door', 'request_snapshot']);
  });

  it('lets exactly one of a cancel and a dispatch win', async () => {
    const service = dispatch.get(CommandsService);
    const lock = await harness.connectDevice();
    const tally = { CANCELLED: 0, SENT: 0 };
    for (let round = 0; round < 40; round++) {
      const id = await harness.insertCommand(lock.id);
      const send = (): Promise<unknown> => dispatch.sendAll(lock.id);
      const cancel = (): Promise<string> =>
        service.cancel({ deviceId: lock.id, commandId: id, userId: harness.owner.id }).then(
          () => 'cancelled',
          (error: unknown) => (error as { code?: string }).code ?? String(error),
        );
      const [verdict] = await (round % 2
        ? Promise.all([cancel(), send()])
        : Promise.all([cancel(), Promise.resolve().then(send)]));
      const { state } = await harness.command(id);
      expect([state, verdict]).toEqual(state === 'SENT' ? ['SENT', 'not_cancellable'] : ['CANCELLED', 'cancelled']);
      tally[state as keyof typeof tally]++;
      await dispatch.acknowledgements.acknowledge(lock.id, { commandId: id, status: 'failed' });
    }
    await eventually('the published ones', () => lock.signedOrders.length === tally.SENT);
    expect(tally.CANCELLED + tally.SENT).toBe(40);
  });

  it('does not send for a user who lost the permission after the command was accepted', async () => {
    const lock = await harness.connectDevice();
    const bystander = await createAccount(harness.app.url, 'bystander');
    const foreign = await harness.insertCommand(lock.id, 'unlock_door', { issuerId: bystander.id });
    const orphaned = await harness.insertCommand(lock.id, 'unlock_door', { issuerId: null });
    const allowed = await harness.insertCommand(lock.id, 'unlock_door');
    await dispatch.sendAll(lock.id);
    for (const id of [foreign, orphaned]) {
      const row = await harness.command(id);
      expect([row.state, row.error_code, row.counter]).toEqual(['EXPIRED', 'permission_revoked', null]);
      expect(await harness.eventTypes(id)).toEqual(['command_expired']);
    }
    expect((await lock.waitForOrder()).commandId).toBe(allowed);
    expect(lock.signedOrders).toHaveLength(1);
  });

  it('locks for a user whose account must not unlock by now, and does not unlock', async () => {
    const lock = await harness.connectDevice();
    const id = await harness.insertCommand(lock.id, 'unlock_door');
    const until = (time: string): Promise<unknown> =>
      harness.rows(`UPDATE users SET unlock_after = ${time} WHERE id = $1`, [harness.owner.id]);
    await until(`now() + interval '1 hour'`);
    try {
      await dispatch.sendAll(lock.id);
      expect(await harness.command(id)).toMatchObject({ state: 'EXPIRED', error_code: 'permission_revoked' });
      const locking = await harness.insertCommand(lock.id, 'lock_door');
      await dispatch.sendAll(lock.id);
      expect((await lock.waitForOrder()).commandId).toBe(locking);
    } finally {
      await until('NULL');
    }
  });

  it.each(['blocked_at', 'deleted_at'])(
    'neither sends nor sends again for an owner whose account has ended since (%s)',
    async (end) => {
      const lock = await harness.connectDevice();
      const account = (value: string): Promise<unknown> =>
        harness.rows(`UPDATE users SET ${end} = ${value} WHERE id = $1`, [harness.owner.id]);
      const unanswered = await harness.insertCommand(lock.id, 'request_snapshot');
      await dispatch.sendAll(lock.id);
      await lock.waitForOrder();
      const id = await harness.insertCommand(lock.id);
      await account('now()');
      try {
        expect(await dispatch.sender.resendToDevice(lock.id)).toBe(0);
        expect((await harness.command(unanswered)).attempts).toBe(1);
        await dispatch.sendAll(lock.id);
        expect(await harness.command(id)).toMatchObject({ state: 'EXPIRED', error_code: 'permission_revoked' });
      } finally {
        await account('NULL');
      }
      const allowed = await harness.insertCommand(lock.id);
      await dispatch.sendAll(lock.id);
      expect((await lock.waitForOrder(2)).commandId).toBe(allowed);
    },
  );

  it('does not send an expired command, and sends the next one', async () => {
    const lock = await harness.connectDevice();
    const stale = await harness.insertCommand(lock.id, 'lock_door', { lifeS: -1 });
    const fresh = await harness.insertCommand(lock.id, 'unlock_door');
    await dispatch.sendAll(lock.id);
    expect(await harness.command(stale)).toMatchObject({ state: 'EXPIRED', error_code: 'deadline' });
    expect((await lock.waitForOrder()).commandId).toBe(fresh);
    expect(lock.signedOrders).toHaveLength(1);
  });

  it('sends nothing to a device without a link, or whose clock is unknown', async () => {
    const device = await harness.registerDevice();
    const id = await harness.insertCommand(device.id, 'lock_door');
    await dispatch.sendAll(device.id);
    await harness.rows(`INSERT INTO device_links (device_id, kind, boot) VALUES ($1, 'mqtt', 'b00t0001')`, [device.id]);
    await dispatch.sendAll(device.id);
    expect((await harness.command(id)).state).toBe('QUEUED');
  });

  it('limits the time of an order to its timeout, so that nothing begins after TIMED_OUT', async () => {
    const beforeBirth = performance.now();
    const lock = await harness.connectDevice();
    const id = await harness.insertCommand(lock.id, 'lock_door', { lifeS: 86_400 });
    await dispatch.sendAll(lock.id);
    const order = await lock.waitForOrder();
    const age = performance.now() - beforeBirth;
    const { timeout_at: timeoutAt, sent_at: sentAt } = await harness.command(id);
    expect(new Date(order.expiresAt)).toEqual(timeoutAt);
    expect(order.issuedAt).toBe(sentAt?.toISOString());
    expect(order.expiresAtUptimeMs).toBeLessThanOrEqual(60_000 + age + 15_000);
  });

  it('keeps the deadline of a lock whose report was delayed', async () => {
    const lock = await harness.connectDevice();
    const reported = performance.now();
    await harness.rows(
      `UPDATE devices SET boot_reported_at = clock_timestamp() - interval '30 seconds' WHERE id = $1`,
      [lock.id],
    );
    await harness.insertCommand(lock.id, 'unlock_door', { lifeS: 10 });
    await dispatch.sendAll(lock.id);
    const { expiresAtUptimeMs } = await lock.waitForOrder();
    const sinceMs = performance.now() - reported;
    expect(expiresAtUptimeMs).toBeGreaterThan(60_000 + 38_000);
    expect(expiresAtUptimeMs).toBeLessThanOrEqual(60_000 + 40_000 + sinceMs);
  });
});

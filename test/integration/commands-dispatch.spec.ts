import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CommandsService } from '../../src/features/commands/commands.service.js';
import { DispatchRepository, LaneBusyError } from '../../src/features/commands/dispatch/dispatch.repository.js';
import { Transactions } from '../../src/platform/prisma/transaction.js';
import type { CommandRig } from '../support/command-rig.js';
import { signUp } from '../support/rest.js';
import { StillLedger } from '../support/still-ledger.js';
import { eventually } from '../support/wait.js';

describe('dispatching, step by step', () => {
  let ledger: StillLedger;
  let rig: CommandRig;
  beforeAll(async () => {
    ledger = await StillLedger.start();
    ({ rig } = ledger);
  });
  afterAll(() => ledger.stop());
  beforeEach(() => ledger.empty());

  it('publishes a command once, however many processes race for it', async () => {
    const lock = await rig.lock();
    for (let round = 1; round <= 20; round++) {
      const id = await rig.queue(lock.id);
      await Promise.all(ledger.senders.map((sender) => ledger.sendAll(lock.id, sender)));
      expect((await lock.hear(round)).commandId).toBe(id);
      await ledger.outcomes.acknowledge(lock.id, { commandId: id, status: 'executed' });
      expect(await rig.story(id)).toEqual(['command_sent', 'command_executed']);
    }
    // The same connection carries this last one: everything published before it has arrived.
    const last = await rig.queue(lock.id);
    await ledger.sendAll(lock.id);
    await lock.hear(21);
    expect(lock.heard.filter(({ commandId }) => commandId === last)).toHaveLength(1);
    expect(lock.orders).toHaveLength(21);
    expect(lock.heard.map(({ counter }) => counter)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
  });

  it('sends one of two in the same lane, although two processes start at the same moment', async () => {
    for (let round = 0; round < 10; round++) {
      const lock = await rig.lock();
      await rig.queue(lock.id, 'unlock_door');
      const urgent = await rig.queue(lock.id, 'lock_door');
      await Promise.all(ledger.senders.map((sender) => ledger.sendAll(lock.id, sender)));
      const states = await rig.rows<{ state: string; name: string }>(
        'SELECT state, name FROM commands WHERE device_id = $1 ORDER BY priority',
        [lock.id],
      );
      expect(states).toEqual([
        { state: 'SENT', name: 'lock_door' },
        { state: 'QUEUED', name: 'unlock_door' },
      ]);
      expect((await lock.hear()).commandId).toBe(urgent);
    }
  });

  it('relies on the database to refuse a second order in flight in a lane', async () => {
    const repository = ledger.get(DispatchRepository);
    const transactions = ledger.get(Transactions);
    const lock = await rig.lock();
    const [first, second] = [await rig.queue(lock.id), await rig.queue(lock.id)];
    const racing = transactions.independently(async () => {
      const [next] = await repository.lockNext([lock.id]);
      await rig.rows(`UPDATE commands SET state = 'SENT' WHERE id = $1`, [next?.id === first ? second : first]);
      const signed = { order: '{}', kid: 'k', signature: 's' };
      return next && repository.markSent([{ next, signed, timeoutMs: 15_000 }]);
    });
    await expect(racing).rejects.toBeInstanceOf(LaneBusyError);
  });

  it('fills both lanes at once', async () => {
    const lock = await rig.lock();
    await rig.queue(lock.id, 'request_snapshot');
    await rig.queue(lock.id, 'unlock_door');
    await ledger.sendAll(lock.id);
    await lock.hear(2);
    expect(lock.heard.map(({ name }) => name)).toEqual(['unlock_door', 'request_snapshot']);
  });

  it('lets exactly one of a cancel and a dispatch win', async () => {
    const service = ledger.get(CommandsService);
    const lock = await rig.lock();
    const tally = { CANCELLED: 0, SENT: 0 };
    for (let round = 0; round < 40; round++) {
      const id = await rig.queue(lock.id);
      const dispatch = (): Promise<unknown> => ledger.sendAll(lock.id);
      const cancel = (): Promise<string> =>
        service.cancel(lock.id, id).then(
          () => 'cancelled',
          (error: unknown) => (error as { code?: string }).code ?? String(error),
        );
      const [verdict] = await (round % 2
        ? Promise.all([cancel(), dispatch()])
        : Promise.all([cancel(), Promise.resolve().then(dispatch)]));
      const { state } = await rig.command(id);
      expect([state, verdict]).toEqual(state === 'SENT' ? ['SENT', 'not_cancellable'] : ['CANCELLED', 'cancelled']);
      tally[state as keyof typeof tally]++;
      await ledger.outcomes.acknowledge(lock.id, { commandId: id, status: 'failed' });
    }
    await eventually('the published ones', () => lock.orders.length === tally.SENT);
    expect(tally.CANCELLED + tally.SENT).toBe(40);
  });

  it('does not send for a user who lost the permission after the command was accepted', async () => {
    const lock = await rig.lock();
    const bystander = await signUp(rig.running.url, 'bystander');
    const foreign = await rig.queue(lock.id, 'unlock_door', { issuerId: bystander.id });
    const orphaned = await rig.queue(lock.id, 'unlock_door', { issuerId: null });
    const allowed = await rig.queue(lock.id, 'unlock_door');
    await ledger.sendAll(lock.id);
    for (const id of [foreign, orphaned]) {
      const row = await rig.command(id);
      expect([row.state, row.error_code, row.counter]).toEqual(['EXPIRED', 'permission_revoked', null]);
      expect(await rig.story(id)).toEqual(['command_expired']);
    }
    expect((await lock.hear()).commandId).toBe(allowed);
    expect(lock.orders).toHaveLength(1);
  });

  it.each(['blocked_at', 'deleted_at'])(
    'does not send for an owner whose account has ended since (%s)',
    async (end) => {
      const lock = await rig.lock();
      const id = await rig.queue(lock.id);
      const account = (value: string): Promise<unknown> =>
        rig.rows(`UPDATE users SET ${end} = ${value} WHERE id = $1`, [rig.owner.id]);
      await account('now()');
      try {
        await ledger.sendAll(lock.id);
        expect(await rig.command(id)).toMatchObject({ state: 'EXPIRED', error_code: 'permission_revoked' });
      } finally {
        await account('NULL');
      }
      const allowed = await rig.queue(lock.id);
      await ledger.sendAll(lock.id);
      expect((await lock.hear()).commandId).toBe(allowed);
    },
  );

  it('does not send an expired command, and sends the next one', async () => {
    const lock = await rig.lock();
    const stale = await rig.queue(lock.id, 'lock_door', { lifeS: -1 });
    const fresh = await rig.queue(lock.id, 'unlock_door');
    await ledger.sendAll(lock.id);
    expect(await rig.command(stale)).toMatchObject({ state: 'EXPIRED', error_code: 'deadline' });
    expect((await lock.hear()).commandId).toBe(fresh);
    expect(lock.orders).toHaveLength(1);
  });

  it('sends nothing to a device without a link, or whose clock is unknown', async () => {
    const device = await rig.device();
    const id = await rig.queue(device.id, 'lock_door');
    await ledger.sendAll(device.id);
    await rig.rows(`INSERT INTO device_links (device_id, kind, boot) VALUES ($1, 'mqtt', 'b00t0001')`, [device.id]);
    await ledger.sendAll(device.id);
    expect((await rig.command(id)).state).toBe('QUEUED');
  });

  it('limits the time of an order to its timeout, so that nothing begins after TIMED_OUT', async () => {
    const beforeBirth = performance.now();
    const lock = await rig.lock();
    const id = await rig.queue(lock.id, 'lock_door', { lifeS: 86_400 });
    await ledger.sendAll(lock.id);
    const order = await lock.hear();
    const age = performance.now() - beforeBirth;
    const { timeout_at: timeoutAt, sent_at: sentAt } = await rig.command(id);
    expect(new Date(order.expiresAt)).toEqual(timeoutAt);
    expect(order.issuedAt).toBe(sentAt?.toISOString());
    expect(order.expiresAtUptimeMs).toBeLessThanOrEqual(60_000 + age + 15_000);
  });

  it('keeps the deadline of a lock whose report was delayed', async () => {
    const lock = await rig.lock();
    const reported = performance.now();
    await rig.rows(`UPDATE devices SET boot_reported_at = clock_timestamp() - interval '30 seconds' WHERE id = $1`, [
      lock.id,
    ]);
    await rig.queue(lock.id, 'unlock_door', { lifeS: 10 });
    await ledger.sendAll(lock.id);
    const { expiresAtUptimeMs } = await lock.hear();
    const sinceMs = performance.now() - reported;
    expect(expiresAtUptimeMs).toBeGreaterThan(60_000 + 38_000);
    expect(expiresAtUptimeMs).toBeLessThanOrEqual(60_000 + 40_000 + sinceMs);
  });
});

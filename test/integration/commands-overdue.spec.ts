import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CommandSweeper } from '../../src/features/commands/dispatch/command-sweeper.js';
import { DispatchRepository } from '../../src/features/commands/dispatch/dispatch.repository.js';
import { Transactions } from '../../src/platform/prisma/transaction.js';
import type { CommandRig } from '../support/command-rig.js';
import { StillLedger } from '../support/still-ledger.js';

describe('overdue commands, step by step', () => {
  let ledger: StillLedger;
  let rig: CommandRig;
  beforeAll(async () => {
    ledger = await StillLedger.start();
    ({ rig } = ledger);
  });
  afterAll(() => ledger.stop());
  beforeEach(() => ledger.empty());

  it('time out after silence, and record only the first verdict that comes then', async () => {
    const lock = await rig.lock();
    const id = await rig.queue(lock.id);
    await ledger.sendAll(lock.id);
    await ledger.sender.settleOverdue(10);
    expect((await rig.command(id)).state).toBe('SENT');
    await ledger.timePasses(id, 'timeout_at', 20);
    await Promise.all([
      ledger.sender.settleOverdue(10),
      ledger.sender.settleOverdue(10),
      ledger.sender.settleOverdue(10),
    ]);
    expect(await rig.command(id)).toMatchObject({ state: 'TIMED_OUT', confirmed_by: 'none' });
    await ledger.outcomes.acknowledge(lock.id, { commandId: id, status: 'received' });
    await ledger.outcomes.acknowledge(lock.id, {
      commandId: id,
      status: 'failed',
      errorCode: 'jammed',
      errorMessage: 'stuck',
    });
    await ledger.outcomes.acknowledge(lock.id, { commandId: id, status: 'executed' });
    const row = await rig.command(id);
    expect(row).toMatchObject({ state: 'TIMED_OUT', confirmed_by: 'ack', error_code: null });
    expect(row.late_result).toEqual({
      status: 'failed',
      errorCode: 'jammed',
      errorMessage: 'stuck',
      receivedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(await rig.story(id)).toEqual(['command_sent', 'command_timed_out', 'command_late_result']);
  });

  it('are settled in batches, each once, by several processes', async () => {
    const device = await rig.device();
    const ids = await Promise.all(Array.from({ length: 30 }, () => rig.queue(device.id, 'lock_door', { lifeS: -1 })));
    const settleAll = async (): Promise<void> => {
      while (await ledger.sender.settleOverdue(4)) {
        // There may be more.
      }
    };
    await Promise.all([settleAll(), settleAll(), settleAll()]);
    await settleAll();
    for (const id of ids) {
      expect(await rig.command(id)).toMatchObject({ state: 'EXPIRED', version: 2 });
      expect(await rig.story(id)).toEqual(['command_expired']);
    }
  });

  it('are sent again on time, once for all processes, and never past the deadline', async () => {
    const lock = await rig.lock();
    const id = await rig.queue(lock.id);
    await ledger.sendAll(lock.id);
    expect(await ledger.sender.resendDue(10)).toBe(0);
    await ledger.timePasses(id, 'sent_at', 3);
    const counts = await Promise.all(ledger.senders.slice(1).map((sender) => sender.resendDue(10)));
    expect(counts.sort()).toEqual([0, 0, 1]);
    await lock.hear(2);
    expect(lock.orders[1]).toEqual(lock.orders[0]);
    await ledger.timePasses(id, 'sent_at', 3);
    await ledger.timePasses(id, 'expires_at', 15);
    expect(await ledger.sender.resendDue(10)).toBe(0);
    expect(await ledger.sender.resendToDevice(lock.id)).toBe(0);
    expect(await rig.command(id)).toMatchObject({ state: 'SENT', attempts: 2 });
  });

  it('are not sent again once the device has answered, nor to another boot', async () => {
    const lock = await rig.lock();
    const id = await rig.queue(lock.id);
    await ledger.sendAll(lock.id);
    await ledger.outcomes.acknowledge(lock.id, { commandId: id, status: 'received' });
    await ledger.timePasses(id, 'sent_at', 6);
    expect(await ledger.sender.resendDue(10)).toBe(0);
    await rig.rows(`UPDATE devices SET boot = 'another1' WHERE id = $1`, [lock.id]);
    expect(await ledger.sender.resendToDevice(lock.id)).toBe(0);
  });

  it('are not settled or confirmed by a report of an earlier boot', async () => {
    const device = await rig.device();
    await rig.lock(device, 'b00t-old');
    const lock = await rig.lock(device, randomUUID());
    const id = await rig.queue(lock.id, 'lock_door');
    await ledger.sendAll(lock.id);
    await lock.hear();
    const transactions = ledger.get(Transactions);
    const report = { deviceId: lock.id, boot: 'b00t-old', lockState: 'locked' } as const;
    await transactions.run(() => ledger.outcomes.applyLockState(report));
    expect(await rig.command(id)).toMatchObject({ state: 'SENT', confirmed_by: 'none' });
    await transactions.run(() => ledger.outcomes.applyLockState({ ...report, boot: lock.boot }));
    expect(await rig.command(id)).toMatchObject({ state: 'SENT', confirmed_by: 'state_report' });
  });

  it('are found by the sweep when no signal named them', async () => {
    const repository = ledger.get(DispatchRepository);
    const sweeper = ledger.get(CommandSweeper);
    const lock = await rig.lock();
    const id = await rig.queue(lock.id);
    expect((await repository.findWaiting(1_000)).deviceIds).toContain(lock.id);
    await ledger.sendAll(lock.id);
    expect(await repository.findWaiting(1_000)).toEqual({ resendDue: false, deviceIds: [] });
    await ledger.timePasses(id, 'sent_at', 4);
    expect(await repository.findWaiting(1_000)).toEqual({ resendDue: true, deviceIds: [] });
    expect(await sweeper.sweep()).toBe('idle');
    expect((await rig.command(id)).attempts).toBe(2);
    await ledger.timePasses(id, 'timeout_at', 20);
    await sweeper.sweep();
    expect((await rig.command(id)).state).toBe('TIMED_OUT');
  });
});

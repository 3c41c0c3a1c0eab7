import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CommandSweeper } from '../../src/features/commands/dispatch/command-sweeper.js';
import { DispatchRepository } from '../../src/features/commands/dispatch/dispatch.repository.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import type { CommandHarness } from '../support/command-harness.js';
import { ManualDispatch } from '../support/manual-dispatch.js';

describe('overdue commands, step by step', () => {
  let dispatch: ManualDispatch;
  let harness: CommandHarness;
  beforeAll(async () => {
    dispatch = await ManualDispatch.start();
    ({ harness } = dispatch);
  });
  afterAll(() => dispatch.stop());
  beforeEach(() => dispatch.deleteCommands());

  it('time out after silence, and record only the first verdict that comes then', async () => {
    const lock = await harness.connectDevice();
    const id = await harness.insertCommand(lock.id);
    await dispatch.sendAll(lock.id);
    await dispatch.sender.settleOverdue(10);
    expect((await harness.command(id)).state).toBe('SENT');
    await dispatch.moveBack(id, 'timeout_at', 20);
    await Promise.all([
      dispatch.sender.settleOverdue(10),
      dispatch.sender.settleOverdue(10),
      dispatch.sender.settleOverdue(10),
    ]);
    expect(await harness.command(id)).toMatchObject({ state: 'TIMED_OUT', confirmed_by: 'none' });
    await dispatch.acknowledgements.acknowledge(lock.id, { commandId: id, status: 'received' });
    await dispatch.acknowledgements.acknowledge(lock.id, {
      commandId: id,
      status: 'failed',
      errorCode: 'jammed',
      errorMessage: 'stuck',
    });
    await dispatch.acknowledgements.acknowledge(lock.id, { commandId: id, status: 'executed' });
    const row = await harness.command(id);
    expect(row).toMatchObject({ state: 'TIMED_OUT', confirmed_by: 'ack', error_code: null });
    expect(row.late_result).toEqual({
      status: 'failed',
      errorCode: 'jammed',
      errorMessage: 'stuck',
      receivedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(await harness.eventTypes(id)).toEqual(['command_sent', 'command_timed_out', 'command_late_result']);
  });

  it('are settled in batches, each once, by several processes', async () => {
    const device = await harness.registerDevice();
    const ids = await Promise.all(
      Array.from({ length: 30 }, () => harness.insertCommand(device.id, 'lock_door', { lifeS: -1 })),
    );
    const settleAll = async (): Promise<void> => {
      while (await dispatch.sender.settleOverdue(4)) {
        // There may be more.
      }
    };
    await Promise.all([settleAll(), settleAll(), settleAll()]);
    await settleAll();
    for (const id of ids) {
      expect(await harness.command(id)).toMatchObject({ state: 'EXPIRED', version: 2 });
      expect(await harness.eventTypes(id)).toEqual(['command_expired']);
    }
  });

  it('are sent again on time, once for all processes, and never past the deadline', async () => {
    const lock = await harness.connectDevice();
    const id = await harness.insertCommand(lock.id);
    await dispatch.sendAll(lock.id);
    expect(await dispatch.sender.resendDue(10)).toBe(0);
    await dispatch.moveBack(id, 'sent_at', 3);
    const counts = await Promise.all(dispatch.senders.slice(1).map((sender) => sender.resendDue(10)));
    expect(counts.sort()).toEqual([0, 0, 1]);
    await lock.waitForOrder(2);
    expect(lock.signedOrders[1]).toEqual(lock.signedOrders[0]);
    await dispatch.moveBack(id, 'sent_at', 3);
    await dispatch.moveBack(id, 'expires_at', 15);
    expect(await dispatch.sender.resendDue(10)).toBe(0);
    expect(await dispatch.sender.resendToDevice(lock.id)).toBe(0);
    expect(await harness.command(id)).toMatchObject({ state: 'SENT', attempts: 2 });
  });

  it('are not sent again once the device has answered, nor to another boot', async () => {
    const lock = await harness.connectDevice();
    const id = await harness.insertCommand(lock.id);
    await dispatch.sendAll(lock.id);
    await dispatch.acknowledgements.acknowledge(lock.id, { commandId: id, status: 'received' });
    await dispatch.moveBack(id, 'sent_at', 6);
    expect(await dispatch.sender.resendDue(10)).toBe(0);
    await harness.rows(`UPDATE devices SET boot = 'another1' WHERE id = $1`, [lock.id]);
    expect(await dispatch.sender.resendToDevice(lock.id)).toBe(0);
  });

  it('are not settled or confirmed by a report of an earlier boot', async () => {
    const device = await harness.registerDevice();
    await harness.connectDevice(device, 'b00t-old');
    const lock = await harness.connectDevice(device, randomUUID());
    const id = await harness.insertCommand(lock.id, 'lock_door');
    await dispatch.sendAll(lock.id);
    await lock.waitForOrder();
    const transactions = dispatch.get(Transactions);
    const report = { deviceId: lock.id, boot: 'b00t-old', link: 'mqtt', lockState: 'locked' } as const;
    await transactions.run(() => dispatch.acknowledgements.applyLockState(report));
    expect(await harness.command(id)).toMatchObject({ state: 'SENT', confirmed_by: 'none' });
    await transactions.run(() => dispatch.acknowledgements.applyLockState({ ...report, boot: lock.boot }));
    expect(await harness.command(id)).toMatchObject({ state: 'SENT', confirmed_by: 'state_report' });
  });

  it('are found by the sweep when no signal named them', async () => {
    const repository = dispatch.get(DispatchRepository);
    const sweeper = dispatch.get(CommandSweeper);
    const lock = await harness.connectDevice();
    const id = await harness.insertCommand(lock.id);
    expect((await repository.findWaiting(1_000)).deviceIds).toContain(lock.id);
    await dispatch.sendAll(lock.id);
    expect(await repository.findWaiting(1_000)).toEqual({ resendDue: false, deviceIds: [] });
    await dispatch.moveBack(id, 'sent_at', 4);
    expect(await repository.findWaiting(1_000)).toEqual({ resendDue: true, deviceIds: [] });
    expect(await sweeper.sweep()).toBe('idle');
    expect((await harness.command(id)).attempts).toBe(2);
    await dispatch.moveBack(id, 'timeout_at', 20);
    await sweeper.sweep();
    expect((await harness.command(id)).state).toBe('TIMED_OUT');
  });
});

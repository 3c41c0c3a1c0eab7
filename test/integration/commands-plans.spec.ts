import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CommandsRepository } from '../../src/features/commands/commands.repository.js';
import { DispatchRepository } from '../../src/features/commands/dispatch/dispatch.repository.js';
import { AcknowledgementRepository } from '../../src/features/commands/acknowledgement/acknowledgement.repository.js';
import { Database } from '../../src/platform/prisma/database.js';
import { RecentOrdersRepository } from '../../src/features/commands/acknowledgement/recent-orders.repository.js';
import { CommandHarness } from '../support/command-harness.js';

describe('the statements of commands', () => {
  let harness: CommandHarness;
  beforeAll(async () => {
    harness = await CommandHarness.start();
  });
  afterAll(() => harness.stop());

  it('find the last order and the last ack among the last hundred commands, however late they came', async () => {
    const { id: device } = await harness.registerDevice();
    const at = (second: number): Date => new Date(Date.parse('2026-01-02T00:00:00Z') + second * 1_000);
    await harness.rows('UPDATE devices SET owned_since = $2 WHERE id = $1', [device, at(0)]);
    const insert = async (created: number, times: { sent?: number; received?: number; late?: number } = {}) => {
      const { sent, received, late } = times;
      const [row] = await harness.rows<{ id: string }>(
        `INSERT INTO commands (id, device_id, name, lane, payload, state, attempts, expires_at, correlation_id, error_code,
           created_at, sent_at, received_at, late_result)
         VALUES (gen_random_uuid(), $1, 'lock_door', 'bolt', '{}', 'TIMED_OUT', 2, now(), 'test', 'late', $2, $3, $4, $5)
         RETURNING id`,
        [
          device,
          at(created),
          sent === undefined ? null : at(sent),
          received === undefined ? null : at(received),
          late === undefined ? null : { receivedAt: at(late) },
        ],
      );
      return row?.id;
    };
    const told = () => harness.app.get(RecentOrdersRepository).get(device);
    expect(await told()).toEqual({ lastOrder: null, lastAck: null });
    const late = await insert(0, { sent: 100, late: 900 });
    const lastSent = await insert(200, { sent: 700, received: 800 });
    await insert(300, { sent: 400, received: 500 });
    await insert(600);
    const command = { name: 'lock_door', state: 'TIMED_OUT' };
    const lastOrder = { ...command, commandId: lastSent, sentAt: at(700), attempts: 2 };
    expect(await told()).toEqual({
      lastOrder,
      lastAck: { ...command, commandId: late, at: at(900), errorCode: 'late', errorMessage: null },
    });
    // A hundredth, and one more.
    await Promise.all(Array.from({ length: 96 }, () => insert(700)));
    expect((await told()).lastAck?.commandId).toBe(late);
    await insert(700);
    expect(await told()).toMatchObject({ lastOrder, lastAck: { commandId: lastSent, at: at(800) } });
  });

  it('read by index, so that a long history costs nothing', async () => {
    await harness.stopLoops();
    const database = harness.app.get(Database);
    const texts = new Map<string, string>();
    const query = jest.spyOn(database, 'query').mockImplementation((name: string, text: string) => {
      texts.set(name, text);
      return Promise.resolve([]);
    });
    const repository = harness.app.get(DispatchRepository);
    const acknowledgements = harness.app.get(AcknowledgementRepository);
    await repository.lockNext([]);
    await repository.markSent([]);
    await repository.expire([]);
    await repository.findWaiting(1);
    await repository.listOpen([]);
    await harness.app.get(CommandsRepository).create([], { limit: 1, windowMs: 1 });
    await repository.findOverdue();
    await acknowledgements.lockOfEarlierBoots('');
    await acknowledgements.applyAcks([]);
    await harness.app.get(RecentOrdersRepository).get('');
    query.mockRestore();
    await harness.rows(
      `INSERT INTO commands (id, device_id, issuer_id, name, lane, payload, state, expires_at, correlation_id)
       SELECT gen_random_uuid(), $1, $2, 'lock_door', 'bolt', '{}', 'EXECUTED', now(), 'test' FROM generate_series(1, 20000)`,
      [(await harness.registerDevice()).id, harness.owner.id],
    );
    await harness.rows('ANALYZE commands');
    expect([...texts.keys()].sort()).toEqual([
      'commands_apply_acks',
      'commands_create',
      'commands_expire',
      'commands_list_open',
      'commands_lock_devices',
      'commands_mark_sent',
      'commands_next',
      'commands_of_earlier_boots',
      'commands_overdue',
      'commands_recent',
      'commands_waiting',
    ]);
    for (const text of texts.values()) {
      const plan = await harness.rows<{ 'QUERY PLAN': string }>(`EXPLAIN (GENERIC_PLAN) ${text}`);
      expect(plan.map((row) => row['QUERY PLAN']).join('\n')).not.toMatch(/Seq Scan on commands/);
    }
  });
});

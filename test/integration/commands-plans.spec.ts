import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CommandsRepository } from '../../src/features/commands/commands.repository.js';
import { DispatchRepository } from '../../src/features/commands/dispatch/dispatch.repository.js';
import { AcknowledgementRepository } from '../../src/features/commands/acknowledgement/acknowledgement.repository.js';
import { Database } from '../../src/platform/prisma/database.js';
import { CommandHarness } from '../support/command-harness.js';

describe('the statements of commands', () => {
  let harness: CommandHarness;
  beforeAll(async () => {
    harness = await CommandHarness.start();
  });
  afterAll(() => harness.stop());

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
      'commands_waiting',
    ]);
    for (const text of texts.values()) {
      const plan = await harness.rows<{ 'QUERY PLAN': string }>(`EXPLAIN (GENERIC_PLAN) ${text}`);
      expect(plan.map((row) => row['QUERY PLAN']).join('\n')).not.toMatch(/Seq Scan on commands/);
    }
  });
});

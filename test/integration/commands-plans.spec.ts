import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CommandsRepository } from '../../src/features/commands/commands.repository.js';
import { DispatchRepository } from '../../src/features/commands/dispatch/dispatch.repository.js';
import { AcknowledgementRepository } from '../../src/features/commands/acknowledgement.repository.js';
import { Database } from '../../src/platform/prisma/database.js';
import { CommandRig } from '../support/command-rig.js';

describe('the statements of commands', () => {
  let rig: CommandRig;
  beforeAll(async () => {
    rig = await CommandRig.start();
  });
  afterAll(() => rig.stop());

  it('read by index, so that a long history costs nothing', async () => {
    await rig.silence();
    const database = rig.running.app.get(Database, { strict: false });
    const texts = new Map<string, string>();
    const query = jest.spyOn(database, 'query').mockImplementation((name: string, text: string) => {
      texts.set(name, text);
      return Promise.resolve([]);
    });
    const repository = rig.running.app.get(DispatchRepository, { strict: false });
    const acknowledgements = rig.running.app.get(AcknowledgementRepository, { strict: false });
    await repository.lockNext([]);
    await repository.markSent([]);
    await repository.expire([]);
    await repository.findWaiting(1);
    await repository.listOpen([]);
    await rig.running.app.get(CommandsRepository, { strict: false }).create([]);
    await repository.findOverdue();
    await acknowledgements.lockOfEarlierBoots('');
    await acknowledgements.applyAcks([]);
    query.mockRestore();
    await rig.rows(
      `INSERT INTO commands (id, device_id, issuer_id, name, lane, payload, state, expires_at, correlation_id)
       SELECT gen_random_uuid(), $1, $2, 'lock_door', 'bolt', '{}', 'EXECUTED', now(), 'test' FROM generate_series(1, 20000)`,
      [(await rig.device()).id, rig.owner.id],
    );
    await rig.rows('ANALYZE commands');
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
      const plan = await rig.rows<{ 'QUERY PLAN': string }>(`EXPLAIN (GENERIC_PLAN) ${text}`);
      expect(plan.map((row) => row['QUERY PLAN']).join('\n')).not.toMatch(/Seq Scan on commands/);
    }
  });
});

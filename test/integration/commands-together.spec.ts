import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CommandSubmissionService } from '../../src/features/commands/command-submission.service.js';
import { AcknowledgementService } from '../../src/features/commands/acknowledgement.service.js';
import { CommandNotFoundError, DeviceOfflineError } from '../../src/features/commands/commands.errors.js';
import { DispatchService } from '../../src/features/commands/dispatch/dispatch.service.js';
import { DeviceStateService } from '../../src/features/presence/device-state.service.js';
import { newContext, runInContext } from '../../src/platform/context/request-context.js';
import { Transactions } from '../../src/platform/prisma/transaction.js';
import { newId } from '../../src/shared/ids.js';
import { CommandHarness } from '../support/command-harness.js';
import type { ScriptedDevice } from '../support/scripted-device.js';
import { eventually } from '../support/wait.js';

/** What many devices need at once is done by one transaction, and none of them has to pay for another one. */
describe('commands of many devices at once', () => {
  let harness: CommandHarness;
  let sender: DispatchService;
  let outcomes: AcknowledgementService;
  let locks: ScriptedDevice[];
  beforeAll(async () => {
    harness = await CommandHarness.start();
    await harness.stopLoops();
    sender = harness.app.get(DispatchService);
    outcomes = harness.app.get(AcknowledgementService);
    locks = await Promise.all([1, 2, 3, 4, 5].map(() => harness.connectDevice()));
  });
  afterAll(() => harness.stop());
  beforeEach(async () => {
    await harness.rows('DELETE FROM commands');
    locks.forEach(({ received }) => received.splice(0));
  });

  const queueForAll = (): Promise<string[]> => Promise.all(locks.map(({ id }) => harness.insertCommand(id)));
  const sendToAll = () => Promise.allSettled(locks.map(({ id }) => sender.sendNext(id)));
  const statesOf = async (ids: readonly string[]): Promise<string[]> =>
    Promise.all(ids.map(async (id) => (await harness.command(id)).state));
  const transactionsOf = async (ids: readonly string[], type: string): Promise<number> => {
    const rows = await harness.rows('SELECT DISTINCT xid FROM events WHERE command_id = ANY ($1) AND type = $2', [
      ids,
      type,
    ]);
    return rows.length;
  };
  const acknowledgeAll = (ids: readonly string[]) =>
    Promise.all(ids.map((commandId, n) => outcomes.acknowledge(locks[n]?.id ?? '', { commandId, status: 'executed' })));

  it('sends to all of them, and settles what all of them answer, with one commit each', async () => {
    const ids = await queueForAll();
    await sendToAll();
    const received = await Promise.all(locks.map((lock) => lock.waitForOrder()));
    expect(received.map(({ commandId }) => commandId)).toEqual(ids);
    await acknowledgeAll(ids);
    expect(await statesOf(ids)).toEqual(ids.map(() => 'EXECUTED'));
    expect([await transactionsOf(ids, 'command_sent'), await transactionsOf(ids, 'command_executed')]).toEqual([1, 1]);
    for (const id of ids) {
      expect(await harness.eventTypes(id)).toEqual(['command_sent', 'command_executed']);
    }
  });

  it('lets one whose row cannot be written fail alone: nothing of it is kept, counted or published', async () => {
    const ids = await queueForAll();
    const [bad = '', ...good] = ids;
    const counterOf = async (): Promise<unknown> =>
      harness.rows('SELECT order_counter FROM devices WHERE id = $1', [locks[0]?.id]);
    const before = await counterOf();
    await harness.rows(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$`);
    await harness.rows(
      `CREATE TRIGGER refuse BEFORE UPDATE ON commands FOR EACH ROW WHEN (NEW.id = '${bad}') EXECUTE FUNCTION refuse()`,
    );
    try {
      const [first, ...others] = await sendToAll();
      expect(first).toMatchObject({ status: 'rejected', reason: { message: 'refused' } });
      expect(others.map(({ status }) => status)).toEqual(good.map(() => 'fulfilled'));
    } finally {
      await harness.rows('DROP TRIGGER refuse ON commands');
      await harness.rows('DROP FUNCTION refuse');
    }
    await Promise.all(locks.slice(1).map((lock) => lock.waitForOrder()));
    expect(await statesOf(ids)).toEqual(['QUEUED', ...good.map(() => 'SENT')]);
    expect([await harness.eventTypes(bad), locks[0]?.signedOrders, await counterOf()]).toEqual([[], [], before]);
  });

  it('settles the others at once while the row of one is locked', async () => {
    const ids = await queueForAll();
    await sendToAll();
    const holder = await harness.pool.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM commands WHERE id = $1 FOR UPDATE', [ids[2]]);
    const acknowledged = acknowledgeAll(ids);
    await eventually(
      'the others',
      async () => (await statesOf(ids)).filter((state) => state === 'EXECUTED').length === 4,
    );
    expect((await harness.command(ids[2] ?? '')).state).toBe('SENT');
    await holder.query('COMMIT');
    holder.release();
    await acknowledged;
    expect((await harness.command(ids[2] ?? '')).state).toBe('EXECUTED');
  });

  it('judges each of the answers that came together by itself: new, repeated, late, for an unknown command and from another device', async () => {
    const ids = await queueForAll();
    await sendToAll();
    const [fresh = '', twice = '', late = '', foreign = ''] = ids;
    await outcomes.acknowledge(locks[1]?.id ?? '', { commandId: twice, status: 'executed' });
    await harness.rows(`UPDATE commands SET state = 'TIMED_OUT' WHERE id = $1`, [late]);
    const word = (n: number, commandId: string) =>
      outcomes.acknowledge(locks[n]?.id ?? '', { commandId, status: 'failed', errorCode: 'jammed' });
    await Promise.all([word(0, fresh), word(1, twice), word(2, late), word(3, randomUUID()), word(4, foreign)]);
    expect(await statesOf(ids)).toEqual(['FAILED', 'EXECUTED', 'TIMED_OUT', 'SENT', 'SENT']);
    expect((await harness.command(late)).late_result).toMatchObject({ status: 'failed', errorCode: 'jammed' });
    expect((await harness.command(twice)).error_code).toBeNull();
  });

  it('keeps the acks of one device in their order, although others send at the same time', async () => {
    const ids = await queueForAll();
    await sendToAll();
    const statuses = ['received', 'executing', 'executed'] as const;
    await Promise.all(
      ids.flatMap((commandId, n) =>
        statuses.map((status) => outcomes.acknowledge(locks[n]?.id ?? '', { commandId, status })),
      ),
    );
    for (const id of ids) {
      const types = ['command_sent', 'command_received', 'command_executing', 'command_executed'];
      expect(await harness.eventTypes(id)).toEqual(types);
    }
  });

  it('never lets two of its transactions wait for each other, whatever the order they name devices in', async () => {
    const states = harness.app.get(DeviceStateService);
    const transactions = harness.app.get(Transactions);
    const report = (round: number, order: readonly ScriptedDevice[]): Promise<void> =>
      transactions.independently(() =>
        states.record(
          order.map(({ id, boot }) => ({ deviceId: id, boot, lockState: round % 2 ? 'locked' : 'unlocked' })),
        ),
      );
    for (let round = 0; round < 30; round++) {
      const ids = await queueForAll();
      await Promise.all([report(round, locks), sendToAll(), report(round, [...locks].reverse())]);
      await Promise.all([acknowledgeAll(ids), report(round + 1, [...locks].reverse()), report(round + 1, locks)]);
      expect(await statesOf(ids)).toEqual(ids.map(() => 'EXECUTED'));
    }
    const [database] = await harness.rows<{ deadlocks: string }>(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(database?.deadlocks).toBe('0');
  });

  describe('when they are given', () => {
    let intake: CommandSubmissionService;
    beforeAll(() => {
      intake = harness.app.get(CommandSubmissionService);
    });

    /** As a request of the owner with this key would: in a context of its own. */
    const give = (deviceId: string, key: string, body = 'same') => {
      const id = newId();
      const context = newContext('http', `user:${harness.owner.id}`, { requestId: `request for ${id}` });
      context.audit = { action: 'command_created', recorded: false };
      const requestHash = createHash('sha256').update(body).digest();
      context.idempotency = { key, route: 'POST test', userId: harness.owner.id, requestHash };
      const submission = { deviceId, issuerId: harness.owner.id };
      const answer = runInContext(context, () =>
        intake.accept(id, submission, { name: 'unlock_door', payload: { durationMs: 5_000 } }),
      );
      return { id, context, answer };
    };
    const auditedIn = (ids: readonly string[]) =>
      harness.rows<{ entity_id: string; request_id: string; actor: string }>(
        'SELECT entity_id, request_id, actor FROM audit_entries WHERE entity_id = ANY ($1) ORDER BY id',
        [ids],
      );

    it('takes them by one commit, each with the event, the audit entry and the key of its own request', async () => {
      const given = locks.map(({ id }, n) => give(id, `together ${String(n)}`));
      const answers = await Promise.all(given.map(({ answer }) => answer));
      const ids = given.map(({ id }) => id);
      expect(answers.map(({ command }) => command?.id)).toEqual(ids);
      expect(await transactionsOf(ids, 'command_created')).toBe(1);
      expect(await auditedIn(ids)).toEqual(
        ids.map((id) => ({ entity_id: id, request_id: `request for ${id}`, actor: `user:${harness.owner.id}` })),
      );
      expect(given.every(({ context }) => context.audit?.recorded)).toBe(true);
      const correlations = await harness.rows<{ correlation_id: string }>(
        `SELECT DISTINCT correlation_id FROM events WHERE command_id = ANY ($1) ORDER BY 1`,
        [ids],
      );
      expect(correlations.map((row) => row.correlation_id)).toEqual(ids.map((id) => `request for ${id}`).sort());
      const repeats = await Promise.all(locks.map(({ id }, n) => give(id, `together ${String(n)}`).answer));
      expect(repeats).toEqual(ids.map((earlierId) => ({ earlierId })));
      expect(await harness.rows('SELECT FROM commands')).toHaveLength(locks.length);
    });

    it('refuses one for what stands against it, and takes the others', async () => {
      const offline = await harness.registerDevice();
      const [a = '', b = ''] = locks.map(({ id }) => id);
      const first = give(a, 'refusals 1');
      const unheard = give(offline.id, 'refusals 2');
      const nowhere = give(newId(), 'refusals 3');
      const last = give(b, 'refusals 4');
      await expect(unheard.answer).rejects.toBeInstanceOf(DeviceOfflineError);
      await expect(nowhere.answer).rejects.toBeInstanceOf(CommandNotFoundError);
      const taken = await Promise.all([first.answer, last.answer]);
      expect(taken.map(({ command }) => command?.deviceId)).toEqual([a, b]);
      expect(await auditedIn([unheard.id, nowhere.id])).toEqual([]);
      // What was refused may be asked for again under its key.
      await expect(give(offline.id, 'refusals 2').answer).rejects.toBeInstanceOf(DeviceOfflineError);
    });

    it('takes one of two with the same key, although both are in one transaction', async () => {
      const [a = '', b = ''] = locks.map(({ id }) => id);
      const given = [give(a, 'twin'), give(a, 'twin'), give(b, 'other')];
      const outcomes = await Promise.allSettled(given.map(({ answer }) => answer));
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(outcomes[1]).toMatchObject({ reason: { code: 'idempotency_key_in_use' } });
      expect(
        await transactionsOf(
          given.map(({ id }) => id),
          'command_created',
        ),
      ).toBe(1);
      await expect(give(a, 'twin', 'another body').answer).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    });

    it('stays in the transaction of its caller, and goes down with it', async () => {
      const transactions = harness.app.get(Transactions);
      const [device = ''] = locks.map(({ id }) => id);
      const given: string[] = [];
      const undone = transactions.independently(async () => {
        const { id, answer } = give(device, 'undone');
        given.push(id);
        await answer;
        throw new Error('taken back');
      });
      await expect(undone).rejects.toThrow('taken back');
      expect(await harness.rows('SELECT FROM commands WHERE id = ANY ($1)', [given])).toEqual([]);
    });
  });
});

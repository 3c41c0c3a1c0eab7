import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CommandSubmissionService } from '../../src/features/commands/command-submission.service.js';
import { AcknowledgementService } from '../../src/features/commands/acknowledgement/acknowledgement.service.js';
import { CommandNotFoundError, DeviceOfflineError } from '../../src/features/commands/commands.errors.js';
import { DispatchService } from '../../src/features/commands/dispatch/dispatch.service.js';
import { PresenceService } from '../../src/features/presence/presence.service.js';
import { newContext, type RequestContext, runInContext } from '../../src/platform/context/request-context.js';
import { RequestDeadlineError } from '../../src/platform/context/request-deadline.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { newId } from '../../src/shared/ids.js';
import { CommandHarness } from '../support/command-harness.js';
import type { ScriptedDevice } from '../support/scripted-device.js';
import { eventually } from '../support/wait.js';

type Asked = { readonly body?: string } & Partial<Pick<RequestContext, 'deadline' | 'arrivedAt'>>;

/** Commands of many devices share a transaction, and a fault of one does not affect the others. */
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

  it('sends to all of them, and settles the acks of all of them, with one commit each', async () => {
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

  it('lets a command whose row cannot be written fail alone: nothing of it is stored, counted or published', async () => {
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

  it('settles the others at once while another transaction has locked the row of one', async () => {
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

  it('applies each of many concurrent acks by itself: new, repeated, late, of an unknown command and of another device', async () => {
    const ids = await queueForAll();
    await sendToAll();
    const [fresh = '', twice = '', late = '', foreign = ''] = ids;
    await outcomes.acknowledge(locks[1]?.id ?? '', { commandId: twice, status: 'executed' });
    await harness.rows(`UPDATE commands SET state = 'TIMED_OUT' WHERE id = $1`, [late]);
    const fail = (n: number, commandId: string) =>
      outcomes.acknowledge(locks[n]?.id ?? '', { commandId, status: 'failed', errorCode: 'jammed' });
    await Promise.all([fail(0, fresh), fail(1, twice), fail(2, late), fail(3, randomUUID()), fail(4, foreign)]);
    expect(await statesOf(ids)).toEqual(['FAILED', 'EXECUTED', 'TIMED_OUT', 'SENT', 'SENT']);
    expect((await harness.command(late)).late_result).toMatchObject({ status: 'failed', errorCode: 'jammed' });
    expect((await harness.command(twice)).error_code).toBeNull();
  });

  it('settles a command by the ack of its own device, whatever others say of it in the same batch', async () => {
    const ids = await queueForAll();
    await sendToAll();
    const [commandId = ''] = ids;
    await Promise.all(
      (['failed', 'received', 'executing', 'executed', 'failed'] as const).map((status, n) =>
        outcomes.acknowledge(locks[n]?.id ?? '', { commandId, status, errorCode: `of_${String(n)}` }),
      ),
    );
    expect(await statesOf(ids)).toEqual(['FAILED', 'SENT', 'SENT', 'SENT', 'SENT']);
    expect((await harness.command(commandId)).error_code).toBe('of_0');
  });

  it('signs nothing for a device without a token, and does not send again what was signed before', async () => {
    // They are of no other test: the broker cuts off a device without a token.
    const own = await Promise.all([1, 2, 3].map(() => harness.connectDevice()));
    const ids = await Promise.all(own.map(({ id }) => harness.insertCommand(id)));
    await Promise.all(own.slice(1).map(({ id }) => sender.sendNext(id)));
    await harness.rows('UPDATE device_credentials SET revoked_at = now() WHERE device_id = ANY ($1)', [
      own.slice(0, 2).map(({ id }) => id),
    ]);
    await sender.sendNext(own[0]?.id ?? '');
    expect(await statesOf(ids)).toEqual(['QUEUED', 'SENT', 'SENT']);
    expect(await Promise.all(own.map(({ id }) => sender.resendToDevice(id)))).toEqual([0, 0, 1]);
  });

  it('keeps the acks of one device in their order, although other devices answer at the same time', async () => {
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

  it('never deadlocks, in whatever order its transactions name devices', async () => {
    const presence = harness.app.get(PresenceService);
    const transactions = harness.app.get(Transactions);
    const report = (round: number, order: readonly ScriptedDevice[]): Promise<void> =>
      transactions.independently(() =>
        presence.recordStates(
          order.map(({ id, boot }) => ({
            ...{ deviceId: id, boot, link: 'mqtt' as const },
            lockState: round % 2 ? ('locked' as const) : ('unlocked' as const),
          })),
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

  describe('when they are submitted', () => {
    let submissions: CommandSubmissionService;
    beforeAll(() => {
      submissions = harness.app.get(CommandSubmissionService);
    });

    /** As a request of the owner with this key would: in a context of its own. */
    const submit = (deviceId: string, key: string, { body = 'same', ...times }: Asked = {}) => {
      const requestId = randomUUID();
      const context = { ...newContext('http', `user:${harness.owner.id}`, { requestId }), ...times };
      context.audit = { action: 'command_created', recorded: false };
      const asked = { params: {}, query: {}, body };
      context.idempotency = { key, route: 'POST test', userId: harness.owner.id, asked };
      const submission = {
        deviceId,
        issuerId: harness.owner.id,
        permission: 'admin',
        name: 'unlock_door',
        payload: { durationMs: 5_000 },
      } as const;
      return { requestId, context, answer: runInContext(context, () => submissions.submit(submission)) };
    };
    const auditedFor = (requestIds: readonly string[]) =>
      harness.rows<{ entity_id: string; request_id: string; actor: string }>(
        'SELECT entity_id, request_id, actor FROM audit_entries WHERE request_id = ANY ($1) ORDER BY id',
        [requestIds],
      );

    it('queues nothing for a request that was given up meanwhile, and what else was in its batch', async () => {
      const blocker = await harness.pool.connect();
      await blocker.query('BEGIN; LOCK TABLE commands IN SHARE MODE');
      const [lock, other] = locks.map(({ id }) => id);
      const late = submit(lock ?? '', 'given up', { deadline: performance.now() + 500 });
      const inTime = submit(other ?? '', 'in time', { arrivedAt: performance.now() - 5_000 });
      await eventually('the batch waits', async () => {
        const waiting = await harness.rows(
          `SELECT FROM pg_locks WHERE NOT granted AND relation = 'commands'::regclass`,
        );
        return waiting.length > 0 && performance.now() >= (late.context.deadline ?? 0);
      });
      await blocker.query('COMMIT');
      blocker.release();
      await expect(late.answer).rejects.toBeInstanceOf(RequestDeadlineError);
      const { createdAt, expiresAt } = await inTime.answer;
      expect(expiresAt.getTime() - createdAt.getTime()).toBeLessThanOrEqual(10_000);
      expect(await harness.rows('SELECT FROM commands WHERE device_id = $1', [lock])).toEqual([]);
      expect(await auditedFor([late.requestId])).toEqual([]);
    });

    it('queues them with one commit, each with the event, the audit entry and the key of its own request', async () => {
      const submitted = locks.map(({ id }, n) => submit(id, `together ${String(n)}`));
      const commands = await Promise.all(submitted.map(({ answer }) => answer));
      const [ids, requestIds] = [commands.map(({ id }) => id), submitted.map(({ requestId }) => requestId)];
      expect(commands.map(({ deviceId }) => deviceId)).toEqual(locks.map(({ id }) => id));
      expect(new Set(ids).size).toBe(locks.length);
      expect(await transactionsOf(ids, 'command_created')).toBe(1);
      expect(await auditedFor(requestIds)).toEqual(
        ids.map((id, n) => ({ entity_id: id, request_id: requestIds[n], actor: `user:${harness.owner.id}` })),
      );
      expect(submitted.every(({ context }) => context.audit?.recorded)).toBe(true);
      const correlations = await harness.rows<{ command_id: string; correlation_id: string }>(
        `SELECT command_id, correlation_id FROM events WHERE command_id = ANY ($1) ORDER BY id`,
        [ids],
      );
      expect(correlations).toEqual(ids.map((id, n) => ({ command_id: id, correlation_id: requestIds[n] })));
      const repeated = locks.map(({ id }, n) => submit(id, `together ${String(n)}`));
      const repeats = await Promise.all(repeated.map(({ answer }) => answer));
      expect(repeats.map(({ id }) => id)).toEqual(ids);
      expect(repeated.every(({ context }) => context.audit?.recorded)).toBe(true);
      expect(await auditedFor(repeated.map(({ requestId }) => requestId))).toEqual([]);
      expect(await harness.rows('SELECT FROM commands')).toHaveLength(locks.length);
    });

    it('refuses one for its own reason, and queues the others', async () => {
      const offline = await harness.registerDevice();
      const [a = '', b = ''] = locks.map(({ id }) => id);
      const first = submit(a, 'refusals 1');
      const unreachable = submit(offline.id, 'refusals 2');
      const unknown = submit(newId(), 'refusals 3');
      const last = submit(b, 'refusals 4');
      await expect(unreachable.answer).rejects.toBeInstanceOf(DeviceOfflineError);
      await expect(unknown.answer).rejects.toBeInstanceOf(CommandNotFoundError);
      const queued = await Promise.all([first.answer, last.answer]);
      expect(queued.map(({ deviceId }) => deviceId)).toEqual([a, b]);
      expect(await auditedFor([unreachable.requestId, unknown.requestId])).toEqual([]);
      // A refused request may be repeated with its key.
      await expect(submit(offline.id, 'refusals 2').answer).rejects.toBeInstanceOf(DeviceOfflineError);
    });

    it('queues one of two with the same key, although both are in one transaction', async () => {
      const [a = '', b = ''] = locks.map(({ id }) => id);
      const answers = await Promise.allSettled(
        [submit(a, 'twin'), submit(a, 'twin'), submit(b, 'other')].map(({ answer }) => answer),
      );
      expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(answers[1]).toMatchObject({ reason: { code: 'idempotency_key_in_use' } });
      const ids = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.id] : []));
      expect(await transactionsOf(ids, 'command_created')).toBe(1);
      await expect(submit(a, 'twin', { body: 'another body' }).answer).rejects.toMatchObject({
        code: 'idempotency_key_reused',
      });
    });

    it('joins the transaction of its caller, and is rolled back with it', async () => {
      const transactions = harness.app.get(Transactions);
      const [device = ''] = locks.map(({ id }) => id);
      const requestIds: string[] = [];
      const undone = transactions.independently(async () => {
        const { requestId, answer } = submit(device, 'undone');
        requestIds.push(requestId);
        await answer;
        throw new Error('rolled back');
      });
      await expect(undone).rejects.toThrow('rolled back');
      expect(requestIds).toHaveLength(1);
      expect(await harness.rows('SELECT FROM commands WHERE correlation_id = ANY ($1)', [requestIds])).toEqual([]);
    });
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CommandSubmissionService } from '../../src/features/commands/command-submission.service.js';
import { CommandHarness, commandsPath } from '../support/command-harness.js';
import { recordFigure } from '../support/promise.js';
import { request } from '../support/rest.js';

describe('commands over the API', () => {
  let harness: CommandHarness;
  beforeAll(async () => {
    harness = await CommandHarness.start();
  });
  afterAll(() => harness.stop());

  it('cancels what was not sent, and nothing else', async () => {
    const device = await harness.registerDevice();
    const id = await harness.sendAccepted(device.id, 'lock_door');
    expect(await harness.request('DELETE', commandsPath(device.id, `/${id}`))).toMatchObject({
      status: 200,
      body: { state: 'CANCELLED' },
    });
    expect(await harness.request('DELETE', commandsPath(device.id, `/${id}`))).toMatchObject({
      status: 409,
      body: { code: 'not_cancellable' },
    });
    expect(await harness.request('DELETE', commandsPath(device.id, `/${randomUUID()}`))).toMatchObject({ status: 404 });
    expect(await harness.request('DELETE', commandsPath(device.id, '/nothing'))).toMatchObject({ status: 404 });
    expect(await harness.eventTypes(id)).toEqual(['command_created', 'command_cancelled']);
    const other = await harness.registerDevice();
    expect((await harness.request('GET', commandsPath(other.id, `/${id}`))).status).toBe(404);
  });

  it('limits the queue of a device', async () => {
    const device = await harness.registerDevice();
    for (let n = 0; n < 99; n++) {
      await harness.insertCommand(device.id, 'sync_access_codes', { lifeS: 3_600 });
    }
    await harness.sendAccepted(device.id, 'lock_door');
    const refused = await harness.send(device.id, 'lock_door');
    expect([refused.status, refused.body.code]).toEqual([429, 'queue_full']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('lists newest first, in pages, filtered', async () => {
    const device = await harness.registerDevice();
    const ids: string[] = [];
    for (const name of ['lock_door', 'sync_access_codes', 'lock_door', 'restart_device', 'lock_door']) {
      ids.unshift(await harness.sendAccepted(device.id, name));
    }
    await harness.request('DELETE', commandsPath(device.id, `/${ids[0] ?? ''}`));
    const found: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await harness.request(
        'GET',
        commandsPath(device.id, `?limit=2${cursor && `&cursor=${cursor}`}`),
      );
      found.push(...(body.items as { id: string }[]).map((item) => item.id));
      cursor = body.nextCursor as string | null;
    }
    expect(found).toEqual(ids);
    const idsOf = async (query: string): Promise<string[]> =>
      ((await harness.request('GET', commandsPath(device.id, query))).body.items as { id: string }[]).map(
        (item) => item.id,
      );
    expect(await idsOf('?name=lock_door&state=QUEUED')).toEqual([ids[2], ids[4]]);
    expect(await idsOf('?state=CANCELLED')).toEqual([ids[0]]);
    expect(await harness.request('GET', commandsPath(device.id, '?cursor=elsewhere'))).toMatchObject({
      status: 400,
      body: { code: 'invalid_cursor' },
    });
  });

  it('allows bolt commands for locks alone', async () => {
    const { body } = await request<{ device: { id: string } }>(harness.app.url, 'POST', '/api/v1/devices', {
      token: harness.owner.accessToken,
      body: { name: 'Yard', type: 'camera', hardwareId: randomUUID() },
    });
    const refused = await harness.send(body.device.id, 'lock_door');
    expect([refused.status, refused.body.code]).toEqual([409, 'command_not_supported']);
    expect((await harness.send(body.device.id, 'request_snapshot')).status).toBe(202);
  });

  it('P-20: creates one command of 50 concurrent requests with the same key', async () => {
    const lock = await harness.connectDevice();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => harness.send(lock.id, 'unlock_door', { key })));
    const made = answers.filter(({ status }) => status === 202);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
    answers
      .filter(({ status }) => status !== 202)
      .forEach(({ status, body }) => {
        expect([status, body.code]).toEqual([409, 'idempotency_key_in_use']);
      });
    expect(await harness.rows('SELECT 1 FROM commands WHERE device_id = $1', [lock.id])).toHaveLength(1);
    const again = await harness.send(lock.id, 'unlock_door', { key });
    expect([again.status, again.body.id]).toEqual([202, made[0]?.body.id]);
    expect((await harness.send(lock.id, 'lock_door', { key })).status).toBe(422);
    await lock.waitForOrder();
    expect(lock.signedOrders).toHaveLength(1);
    recordFigure({
      promise: 'P-20',
      shown: 'The same unlock with one key, at once; 409 while the first is running, 422 for another request.',
      n: 50,
      figure: '1 command, 1 order at the lock',
    });
  });

  it('creates no command for a deleted device', async () => {
    const service = harness.app.get(CommandSubmissionService);
    const giver = { issuerId: harness.owner.id, permission: 'admin' } as const;
    const submission = { ...giver, deviceId: randomUUID(), name: 'lock_door', payload: {} } as const;
    await expect(service.submit(submission)).rejects.toMatchObject({ code: 'not_found' });
  });
});

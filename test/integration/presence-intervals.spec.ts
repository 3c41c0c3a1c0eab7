import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type LinkEndFacts,
  LinkRevocationService,
} from '../../src/features/presence/revocation/link-revocation.service.js';
import { PresenceService } from '../../src/features/presence/presence.service.js';
import { JobRegistry } from '../../src/platform/queue/job-registry.js';
import { JobScheduler } from '../../src/platform/queue/job-scheduler.js';
import { TestApp } from '../support/test-app.js';
import { SocketDevice } from '../support/socket-device.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { request } from '../support/rest.js';
import { eventually } from '../support/wait.js';

const HOUR = 3_600_000;

let app: TestApp;
let owner: Account;
let presence: PresenceService;
const open: ScriptedDevice[] = [];

beforeAll(async () => {
  app = await TestApp.start();
  owner = await createAccount(app.url);
  presence = app.get(PresenceService);
}, 60_000);

afterEach(async () => {
  await Promise.all(open.splice(0).map((device) => device.end()));
});

afterAll(() => app.stop());

/** A device that declares how often it sends heartbeats. */
async function born(heartbeatIntervalMs: unknown, device?: RegisteredDevice): Promise<ScriptedDevice> {
  const registered = device ?? (await registerDevice(app.url, owner));
  const line = await ScriptedDevice.connect(app.mqttUrl, registered);
  open.push(line);
  await line.listen();
  await line.birth({ heartbeatIntervalMs: heartbeatIntervalMs as number });
  await eventually('it is online', async () => (await statusOf(line.id)) === 'online');
  return line;
}

async function statusOf(id: string): Promise<string | undefined> {
  const [row] = await app.rows<{ status: string }>('SELECT status FROM devices WHERE id = $1', [id]);
  return row?.status;
}

async function intervalOf(id: string): Promise<number | undefined> {
  const [link] = await app.rows<{ ms: number }>(
    'SELECT heartbeat_interval_ms AS ms FROM device_links WHERE device_id = $1',
    [id],
  );
  return link?.ms;
}

/** Nothing has arrived on its link for so long, and the sweeper has looked. @returns whether the link is open still */
async function isOpenAfter(id: string, seconds: number): Promise<boolean> {
  await app.rows(
    `UPDATE device_links SET last_seen_at = now() - $2 * interval '1 second', check_at = now() WHERE device_id = $1`,
    [id, seconds],
  );
  await Promise.all([presence.closeSilentLinks(100), presence.closeSilentLinks(100)]);
  return (await intervalOf(id)) !== undefined;
}

describe('A device that declares its interval', () => {
  it.each<[string, unknown, number]>([
    ['an hour', HOUR, HOUR],
    ['ten seconds', 10_000, 10_000],
    ['a fraction, which is rounded', 59_999.6, 60_000],
    ['none', undefined, 30_000],
    ['less than ten seconds, which is dropped', 9_000, 30_000],
    ['more than a day, which is dropped', 25 * HOUR, 30_000],
    ['a text, which is dropped', '1 h', 30_000],
  ])('is silent after three of them: %s', async (_what, declared, counted) => {
    const { id } = await born(declared);
    expect(await intervalOf(id)).toBe(counted);
    expect(await isOpenAfter(id, (counted / 1_000) * 3 - 2)).toBe(true);
    const [link] = await app.rows<{ left: number }>(
      'SELECT extract(epoch FROM check_at - now())::float8 AS left FROM device_links WHERE device_id = $1',
      [id],
    );
    // It is looked at again when it can be silent, not earlier.
    expect(link?.left).toBeGreaterThan(0);
    expect(link?.left).toBeLessThanOrEqual(2);
    expect(await isOpenAfter(id, (counted / 1_000) * 3 + 1)).toBe(false);
    expect(await statusOf(id)).toBe('offline');
  });

  it('keeps it when a heartbeat opens its link, and gives it up with a birth that declares none', async () => {
    const line = await born(HOUR);
    expect(await isOpenAfter(line.id, 4 * 3_600)).toBe(false);
    await line.publish('heartbeat', { boot: line.boot, uptimeMs: 90_000 });
    await eventually('a heartbeat opens the link', async () => (await intervalOf(line.id)) === HOUR);
    await line.birth();
    await eventually('the next birth', async () => (await intervalOf(line.id)) === 30_000);
  });

  it('may start again while its birth is lost, once a heartbeat and a half are missing', async () => {
    const line = await born(HOUR);
    await isOpenAfter(line.id, 1.4 * 3_600);
    const next = { boot: randomUUID(), uptimeMs: 100, battery: 40 };
    await line.publish('heartbeat', next);
    const bootOf = async (): Promise<unknown> =>
      (await app.rows<{ boot: string }>('SELECT boot FROM devices WHERE id = $1 AND battery IS NOT NULL', [line.id]))[0]
        ?.boot;
    await eventually('it was heard', async () => (await bootOf()) !== undefined);
    expect(await bootOf()).toBe(line.boot);
    await isOpenAfter(line.id, 1.6 * 3_600);
    await line.publish('heartbeat', next);
    await eventually('it counts', async () => (await bootOf()) === next.boot);
  });
});

describe('A device that sleeps between its heartbeats', () => {
  it('is online, gets no order while it sleeps, and those that wait when it wakes', async () => {
    const device = await registerDevice(app.url, owner);
    const line = await born(HOUR, device);
    const send = async (name: string): Promise<[number, unknown, unknown]> => {
      const { status, body } = await sendCommand(app.url, owner, device.id, { name });
      return [status, body.detail ?? body.state, body.id];
    };
    // Just after its birth it is awake.
    const [, , first] = await send('unlock_door');
    expect(await line.waitForOrder()).toMatchObject({ commandId: first });
    await line.ack({ commandId: String(first), status: 'executed' });
    await line.client.endAsync();
    await app.rows(`UPDATE device_links SET last_seen_at = now() - interval '46 seconds' WHERE device_id = $1`, [
      device.id,
    ]);
    expect(await statusOf(device.id)).toBe('online');
    expect(await send('unlock_door')).toEqual([409, expect.stringContaining('asleep'), undefined]);
    const [, , waiting] = await send('lock_door');
    const stateOf = async (): Promise<unknown> =>
      (
        await request<{ state: string }>(app.url, 'GET', `/api/v1/devices/${device.id}/commands/${String(waiting)}`, {
          token: owner.accessToken,
        })
      ).body.state;
    expect(await stateOf()).toBe('QUEUED');
    const awake = await born(HOUR, device);
    expect(await awake.waitForOrder()).toMatchObject({ commandId: waiting });
    expect(await stateOf()).toBe('SENT');
  });

  it('is offline at once when it says so', async () => {
    const line = await born(HOUR);
    await line.publish('status', { online: false, boot: line.boot });
    await eventually('it is offline', async () => (await statusOf(line.id)) === 'offline');
  });
});

/** Seen to fail when the job marks without a lock, or looks at the time alone. */
describe('The job that marks inactive devices', () => {
  const run = (): Promise<unknown> =>
    Promise.all([1, 2, 3].map(() => app.get(JobRegistry).get('mark_inactive_devices')({})));

  async function silentFor(id: string, hours: number): Promise<void> {
    await app.rows(`UPDATE devices SET last_seen_at = now() - $2 * interval '1 hour' WHERE id = $1`, [id, hours]);
  }

  it('is planned, and planned again in a Redis that forgot it', async () => {
    const jobs = app.get(JobRegistry);
    expect(jobs.repeating()).toContainEqual(['mark_inactive_devices', 300_000]);
    await app.get(JobScheduler).ensure();
  });

  it('marks each once after a day of silence, and the next heartbeat brings it back', async () => {
    const [line, awake, connected] = [await born(undefined), await born(undefined), await born(undefined)];
    for (const { id } of [line, awake]) {
      await isOpenAfter(id, 100);
    }
    await silentFor(line.id, 24.1);
    await silentFor(awake.id, 23.9);
    // Whatever the time says: it is connected.
    await silentFor(connected.id, 30);
    await run();
    expect(await Promise.all([line, awake, connected].map(({ id }) => statusOf(id)))).toEqual([
      'inactive',
      'offline',
      'online',
    ]);
    const { body } = await request<{ items: { type: string; payload: object }[] }>(
      app.url,
      'GET',
      `/api/v1/devices/${line.id}/events?limit=4`,
      { token: owner.accessToken },
    );
    expect(body.items.map(({ type }) => type)).toEqual([
      'status_changed',
      'device_inactive',
      'status_changed',
      'device_disconnected',
    ]);
    await run();
    await line.publish('heartbeat', { boot: line.boot, uptimeMs: 90_000_000 });
    await eventually('it is back', async () => (await statusOf(line.id)) === 'online');
  });

  it('waits for three heartbeats where they are more than a day', async () => {
    const line = await born(12 * HOUR);
    await line.publish('status', { online: false, boot: line.boot });
    await eventually('it is offline', async () => (await statusOf(line.id)) === 'offline');
    await silentFor(line.id, 35.9);
    await run();
    expect(await statusOf(line.id)).toBe('offline');
    await silentFor(line.id, 36.1);
    await run();
    expect(await statusOf(line.id)).toBe('inactive');
  });
});

it('the end of a token closes the link of the connection that ended, and of no later one of another process', async () => {
  const { id, boot } = await born(undefined);
  await app.rows(`UPDATE device_links SET connected_at = now() - interval '10 s' WHERE device_id = $1`, [id]);
  const end = async (facts: Partial<LinkEndFacts>): Promise<boolean> => {
    const known = { isBack: () => false, boot, ageMs: 0, bornMsAgo: 10_000, ...facts };
    await app.get(LinkRevocationService).closeEnded(id, 'mqtt', known);
    return (await intervalOf(id)) !== undefined;
  };
  const later: Partial<LinkEndFacts>[] = [
    { isBack: () => true },
    { boot: randomUUID() },
    { bornMsAgo: 20_000 },
    { ageMs: 20_000 },
  ];
  for (const facts of later) {
    expect(await end(facts)).toBe(true);
  }
  expect(await end({})).toBe(false);
});

it('the end of a token closes the link of its socket within a second, and not of one that is back', async () => {
  const registered = await registerDevice(app.url, owner);
  const rotate = async (): Promise<string> => {
    const body = { overlapSeconds: 0 };
    const path = `/api/v1/devices/${registered.id}/token/rotate`;
    return (await request<{ deviceToken: string }>(app.url, 'POST', path, { token: owner.accessToken, body })).body
      .deviceToken;
  };
  const first = await SocketDevice.born(app.url, registered);
  const token = await rotate();
  await first.closed();
  const second = await SocketDevice.born(app.url, { ...registered, token }, first.boot);
  await pause(600);
  expect(await statusOf(registered.id)).toBe('online');
  await rotate();
  await second.closed();
  await eventually('it is offline', async () => (await statusOf(registered.id)) === 'offline', 1_000);
  const sql = `SELECT payload->>'reason' AS reason FROM events WHERE device_id = $1 AND type = 'device_disconnected'`;
  expect(await app.rows(sql, [registered.id])).toEqual([{ reason: 'token_ended' }]);
});

/** What administrators see of the installation while it runs. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { EventStreamClient } from '../support/event-stream-client.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import { request } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { sendCommand } from '../support/devices.fixture.js';
import { SocketDevice } from '../support/socket-device.js';
import { eventually } from '../support/wait.js';

interface Stats {
  readonly at: string;
  readonly connections: { readonly sockets: number; readonly streams: number; readonly waiting: number };
  readonly devices: Readonly<Record<string, number>> | null;
  readonly perSecond: Readonly<Record<string, number>>;
  readonly feed: { readonly lagSeconds: number; readonly backlog: number };
}

let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let admin: InsertedAccount;
let line: ScriptedDevice;
let socket: SocketDevice;
let onHttp: { id: string; token: string };
let deviceId: string;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start();
  ada = await fixture.createAccount('ada');
  admin = await insertAccount(fixture.application, { name: 'admin', role: 'ADMIN' });
  const device = await fixture.registerDevice(ada);
  await fixture.registerDevice(ada);
  deviceId = device.id;
  line = await ScriptedDevice.born(fixture.application.mqttUrl, device, 'boot-of-hers');
  socket = await SocketDevice.born(fixture.application.url, await fixture.registerDevice(ada));
  onHttp = await fixture.registerDevice(ada);
  await beatOverHttp(1_000);
  // What it is told of later would wake a request that waits.
  await eventually('their births are in the log', async () => {
    const events = `SELECT 1 FROM events WHERE type = 'device_connected'`;
    return (await fixture.sql.rows(events)).length === 3;
  });
}, 60_000);

afterAll(async () => {
  socket.end();
  await line.end();
  await fixture.stop();
});

async function beatOverHttp(uptimeMs: number): Promise<void> {
  const path = `/api/v1/devices/${onHttp.id}/heartbeat`;
  const body = { boot: 'boot-on-http', uptimeMs };
  expect((await request(fixture.application.url, 'POST', path, { token: onHttp.token, body })).status).toBe(200);
}

const STATS = '/api/v1/realtime/stats';
const ask = <T>(path: string, who: InsertedAccount) =>
  request<T & { code?: string }>(fixture.application.url, 'GET', path, { token: who.accessToken });

describe('GET /realtime/stats', () => {
  it('counts clients by transport, links of devices by kind, and what happens in a second', async () => {
    const { url } = fixture.application;
    const [dashboard, stream] = [
      await Dashboard.signedIn(url, ada.accessToken),
      await (await EventStreamClient.open(url, '', { token: ada.accessToken })).joined(),
    ];
    const waiting = request(url, 'GET', `/api/v1/events?after=${stream.lastEventId}`, {
      token: ada.accessToken,
      headers: { prefer: 'wait=10' },
    });
    await eventually('it waits', async () => (await fixture.application.metric('mortise_event_waiters')) === 1);
    // Links are counted from time to time.
    const { status, body } = await eventually('the link is counted', async () => {
      const answer = await ask<Stats>(STATS, admin);
      const { devices } = answer.body;
      return devices !== null && Object.values(devices).every((links) => links === 1) && answer;
    });
    expect([status, body.connections, body.devices]).toEqual([
      200,
      { sockets: 1, streams: 1, waiting: 1 },
      { mqtt: 1, websocket: 1, http: 1 },
    ]);
    expect(Object.keys(body.perSecond).sort()).toEqual('commands deliveries events heartbeats refusals'.split(' '));
    expect(body.feed).toEqual({ lagSeconds: expect.any(Number), backlog: 0 });
    const next = ask<Stats>(STATS, admin);
    await sendCommand(url, ada, deviceId, { name: 'lock_door' });
    await line.publish('heartbeat', { boot: 'boot-of-hers', uptimeMs: 5_000 });
    await waiting;
    const seen: Stats[] = [(await next).body];
    await eventually('that was counted', async () => {
      const sum = (name: string): number => seen.reduce((total, { perSecond }) => total + (perSecond[name] ?? 0), 0);
      if (sum('commands') > 0 && sum('events') > 0 && sum('deliveries') > 0 && sum('heartbeats') > 0) {
        return true;
      }
      await sendCommand(url, ada, deviceId, { name: 'lock_door' });
      await line.publish('heartbeat', { boot: 'boot-of-hers', uptimeMs: 6_000 });
      seen.push((await ask<Stats>(STATS, admin)).body);
      return false;
    });
    dashboard.close();
    stream.close();
  });

  it('comes every second to who watches, until they go; a page opens it by a ticket', async () => {
    const { url } = fixture.application;
    const { body } = await request<{ ticket: string }>(url, 'POST', '/api/v1/events/tickets', {
      token: admin.accessToken,
    });
    const [byToken, byTicket] = [
      await EventStreamClient.at(`${url}${STATS}/stream`, { token: admin.accessToken }),
      await EventStreamClient.at(`${url}${STATS}/stream?ticket=${body.ticket}`),
    ];
    await eventually('three seconds', () => byToken.of('stats').length >= 4 && byTicket.of('stats').length >= 2);
    // The same object, computed once.
    expect(byToken.of('stats')).toEqual(expect.arrayContaining(byTicket.of('stats')));
    // Not more often; how a busy machine delays one of them is no matter.
    const moments = (byToken.of('stats') as Stats[]).map(({ at }) => Date.parse(at));
    expect(moments.slice(1).filter((at, index) => at <= (moments[index] ?? 0))).toEqual([]);
    expect((moments[3] ?? 0) - (moments[0] ?? 0)).toBeGreaterThanOrEqual(2_500);
    const out = await request(url, 'POST', '/api/v1/auth/logout', { token: admin.accessToken });
    expect(out.status).toBe(204);
    await Promise.all([byToken.ended(), byTicket.ended()]);
    expect(byToken.of('session_ended')).toEqual([{ reason: 'logout' }]);
    admin = await insertAccount(fixture.application, { name: 'admin', role: 'ADMIN' });
  });

  it('is for administrators, and for a bounded number at once', async () => {
    const refused = await Promise.all([STATS, `${STATS}/stream`, '/api/health/devices'].map((path) => ask(path, ada)));
    expect(refused.map(({ status, body }) => [status, body.code])).toEqual(refused.map(() => [403, 'forbidden']));
    const others = await Promise.all(
      Array.from({ length: 4 }, () => insertAccount(fixture.application, { name: 'admin', role: 'ADMIN' })),
    );
    const opened = await Promise.all(
      others.flatMap(({ accessToken: token }) =>
        Array.from({ length: 20 }, () => EventStreamClient.at(`${fixture.application.url}${STATS}/stream`, { token })),
      ),
    );
    const statuses = opened.map(({ status }) => status);
    expect([statuses.filter((status) => status === 200).length, new Set(statuses)]).toEqual([50, new Set([200, 503])]);
    await eventually('they are told that others were refused', async () => {
      expect(await ask(`${STATS}/stream`, admin)).toMatchObject({ status: 503, body: { code: 'busy' } });
      return opened.some((stream) =>
        (stream.of('stats') as Stats[]).some(({ perSecond }) => Number(perSecond.refusals) > 0),
      );
    });
    // Who asks once is told what they are told.
    expect((await ask(STATS, admin)).status).toBe(200);
    opened.forEach((stream) => {
      stream.close();
    });
  });
});

interface DeviceHealth {
  readonly total: number;
  readonly byStatus: object[];
  readonly byKind: { readonly kind: string; readonly heartbeatsPerSecond: number }[];
}

/** Seen to fail: with heartbeats that were counted by the intervals that devices declare, of which there are some without any heartbeat. */
describe('GET /api/health/devices', () => {
  it('counts the devices of the installation by status, and their connections by kind', async () => {
    const { body, status } = await ask<DeviceHealth>('/api/health/devices', admin);
    expect(status).toBe(200);
    expect(body.total).toBe(4);
    expect(body.byStatus).toEqual(
      expect.arrayContaining([
        { status: 'online', count: 3 },
        { status: 'unknown', count: 1 },
        { status: 'offline', count: 0 },
      ]),
    );
    expect(body.byKind).toEqual(
      ['mqtt', 'websocket', 'http'].map((kind) => ({
        kind,
        links: 1,
        heardLastMinute: 1,
        heartbeatsPerSecond: expect.any(Number),
        expectedHeartbeatsPerSecond: 0.03,
      })),
    );
  });

  it('counts heartbeats that came, over any connection', async () => {
    const ratesOf = async (): Promise<Record<string, number>> => {
      const { byKind } = (await ask<DeviceHealth>('/api/health/devices', admin)).body;
      return Object.fromEntries(byKind.map(({ kind, heartbeatsPerSecond }) => [kind, heartbeatsPerSecond]));
    };
    // It is connected, and has sent none so far.
    expect((await ratesOf()).websocket).toBe(0);
    await line.publish('heartbeat', { boot: 'boot-of-hers', uptimeMs: 90_000 });
    await socket.beat();
    await beatOverHttp(2_000);
    await eventually('each is counted', async () => Object.values(await ratesOf()).every((rate) => rate > 0));
  });
});

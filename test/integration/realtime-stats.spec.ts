/** What administrators see of the installation while it runs. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { EventStreamClient } from '../support/event-stream-client.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import { request } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { sendCommand } from '../support/devices.fixture.js';
import { eventually } from '../support/wait.js';

interface Stats {
  readonly connections: { readonly sockets: number; readonly streams: number; readonly waiting: number };
  readonly devices: Readonly<Record<string, number>> | null;
  readonly perSecond: Readonly<Record<string, number>>;
  readonly feed: { readonly lagSeconds: number; readonly backlog: number };
}

let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let admin: InsertedAccount;
let line: ScriptedDevice;
let deviceId: string;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start();
  ada = await fixture.createAccount('ada');
  admin = await insertAccount(fixture.application, { name: 'admin', role: 'ADMIN' });
  const device = await fixture.registerDevice(ada);
  await fixture.registerDevice(ada);
  deviceId = device.id;
  line = await ScriptedDevice.born(fixture.application.mqttUrl, device, 'boot-of-hers');
  // What it is told of later would wake a request that waits.
  await eventually('its birth is in the log', async () => {
    const events = `SELECT 1 FROM events WHERE device_id = $1 AND type = 'device_connected'`;
    return (await fixture.sql.rows(events, [deviceId])).length === 1;
  });
}, 60_000);

afterAll(async () => {
  await line.end();
  await fixture.stop();
});

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
      return answer.body.devices?.mqtt === 1 && answer;
    });
    expect([status, body.connections, body.devices]).toEqual([
      200,
      { sockets: 1, streams: 1, waiting: 1 },
      { mqtt: 1, websocket: 0, http: 0 },
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
    await eventually('three seconds', () => byToken.of('stats').length >= 3 && byTicket.of('stats').length >= 2);
    // The same object, computed once.
    expect(byToken.of('stats')).toEqual(expect.arrayContaining(byTicket.of('stats')));
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
    await eventually('they are told', () => opened.some((stream) => stream.of('stats').length > 0));
    // Who asks once is told what they are told.
    expect((await ask(STATS, admin)).status).toBe(200);
    opened.forEach((stream) => {
      stream.close();
    });
  });
});

describe('GET /api/health/devices', () => {
  it('counts the devices of the installation by status, and their connections by kind', async () => {
    const { body, status } = await ask<{ total: number; byStatus: object[]; byKind: object[] }>(
      '/api/health/devices',
      admin,
    );
    expect(status).toBe(200);
    expect(body.total).toBe(2);
    expect(body.byStatus).toEqual(
      expect.arrayContaining([
        { status: 'online', count: 1 },
        { status: 'unknown', count: 1 },
        { status: 'offline', count: 0 },
      ]),
    );
    expect(body.byKind).toEqual([
      { kind: 'mqtt', links: 1, heardLastMinute: 1, heartbeatsPerSecond: 0.03 },
      { kind: 'websocket', links: 0, heardLastMinute: 0, heartbeatsPerSecond: 0 },
      { kind: 'http', links: 0, heardLastMinute: 0, heartbeatsPerSecond: 0 },
    ]);
  });
});

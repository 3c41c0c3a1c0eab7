/**
 * Event streams when something goes away: a process that stops hands its clients on, each after a pause of its own, and nothing is
 * lost; while PostgreSQL is silent nothing is sent that was not judged, and no stream is opened.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { EventStreamService } from '../../src/features/realtime/streams/event-stream.service.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { EventStreamClient } from '../support/event-stream-client.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import { scaled } from '../support/promise.js';
import { Sql } from '../support/sql.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const CLIENTS = scaled(40, 1_000);

let installation: Installation;
let postgres: FaultProxy;
let other: TestApp;
let sql: Sql;
let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let deviceId: string;

beforeAll(async () => {
  installation = await createInstallation({});
  postgres = await FaultProxy.inFrontOf(installation.env.DATABASE_URL ?? '');
  other = await TestApp.start({ env: env({ ROLES: 'api,worker' }) });
  sql = await Sql.open(other.databaseUrl);
  fixture = OrganizationsFixture.on(other, sql);
  ada = await fixture.createAccount('ada');
  ({ id: deviceId } = await fixture.registerDevice(ada));
}, 60_000);

afterAll(async () => {
  await sql.end();
  await other.stop();
  await postgres.close();
  await installation.remove();
});

function env(more: Readonly<Record<string, string>>): Record<string, string> {
  const { DATABASE_URL = '', REDIS_URL = '' } = installation.env;
  return { DATABASE_URL, REDIS_URL, RATE_LIMIT_SCALE: '1000', ...more };
}

async function happen(userId: string, of: { deviceId?: string } = { deviceId }): Promise<string> {
  const zone = randomUUID();
  const event = { type: 'motion_detected', source: 'system', actor: 'system', ...of } as const;
  await other.get(Transactions).run(() => other.get(EventLog).append({ ...event, payload: { zone }, userId }));
  return zone;
}

const zonesOf = (stream: EventStreamClient): unknown[] =>
  stream.feed.map(({ payload }) => (payload as { zone?: string }).zone);

describe('A process that stops', () => {
  it('ends its streams with a last word, and their clients go on elsewhere, each at another time: nothing is lost', async () => {
    const stopping = await TestApp.start({ env: env({ ROLES: 'api' }) });
    const people = await Promise.all(
      Array.from({ length: Math.ceil(CLIENTS / 20) }, () => insertAccount(other, { name: 'person' })),
    );
    const organization = await fixture.createOrganization(ada);
    for (const person of people) {
      await fixture.addMember(person, 'VIEWER', organization.id);
    }
    await fixture.request(ada, 'PATCH', `/devices/${deviceId}`, { organizationId: organization.id });
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, async (_, index) => {
        const { accessToken: token } = people[Math.floor(index / 20)]!;
        return { token, stream: await (await EventStreamClient.open(stopping.url, '', { token })).joined() };
      }),
    );
    const zones = [await happen(ada.id), await happen(ada.id)];
    const stopped = stopping.stop();
    zones.push(await happen(ada.id), await happen(ada.id));
    await Promise.all(clients.map(({ stream }) => stream.ended()));
    await stopped;
    zones.push(await happen(ada.id));
    const last = zones.at(-1);
    const heard = await Promise.all(
      clients.map(async ({ token, stream }) => {
        const headers = { 'last-event-id': stream.lastEventId };
        const next = await EventStreamClient.open(other.url, '', { token, headers });
        await eventually('it has caught up', () => zonesOf(next).includes(last));
        next.close();
        return [...zonesOf(stream), ...zonesOf(next)];
      }),
    );
    expect(heard).toEqual(clients.map(() => zones));
    expect(clients.map(({ stream }) => stream.of('closing'))).toEqual(
      clients.map(() => [expect.objectContaining({ code: 'shutting_down', status: 503 })]),
    );
    const pauses = clients.map(({ stream }) => stream.retries.at(-1) ?? 0);
    expect(clients.map(({ stream }) => stream.of('closing')[0])).toMatchObject(
      pauses.map((ms) => ({ retryAfter: ms / 1_000 })),
    );
    expect([Math.min(...pauses) >= 1_000, Math.max(...pauses) <= 5_000]).toEqual([true, true]);
    expect(new Set(pauses).size).toBeGreaterThan(CLIENTS / 2);
  }, 60_000);

  it('opens a stream that was asked for meanwhile and ends it at once, for an EventSource never comes back after a 503', async () => {
    const stopping = await TestApp.start({ env: env({ ROLES: 'api' }) });
    // Its requests are still answered, as while the process drains.
    stopping.get(EventStreamService).stop();
    const stream = await EventStreamClient.open(stopping.url, '', { token: ada.accessToken });
    await stream.ended();
    expect([stream.status, stream.of('closing')]).toMatchObject([200, [{ code: 'shutting_down' }]]);
    const zone = await happen(ada.id);
    const headers = { 'last-event-id': stream.lastEventId };
    const next = await EventStreamClient.open(other.url, '', { token: ada.accessToken, headers });
    await eventually('it goes on', () => zonesOf(next).includes(zone));
    next.close();
    await stopping.stop();
  }, 30_000);
});

describe('While PostgreSQL is silent', () => {
  it('nothing is sent that was not judged, and no stream is opened; what happened comes later', async () => {
    const blind = await TestApp.start({
      env: env({ ROLES: 'api', DATABASE_URL: postgres.url, REQUEST_TIMEOUT: '1s' }),
    });
    const guest = await fixture.createAccount('guest');
    await fixture.request(ada, 'POST', `/devices/${deviceId}/shares`, { email: guest.email, permission: 'view' });
    const open = (): Promise<EventStreamClient> =>
      EventStreamClient.open(blind.url, `?deviceId=${deviceId}`, { token: guest.accessToken });
    const stream = await (await open()).joined();
    const first = await happen(ada.id);
    await eventually('it hears', () => zonesOf(stream).includes(first));
    // What was answered before is good for a moment.
    await eventually('its share has gone from memory', async () => {
      await sql.rows('SELECT pg_sleep(1.6)');
      return true;
    });
    const known = (): Promise<number> => blind.metric('mortise_live_feed_events_total{source="stream"}');
    const before = await known();
    postgres.blackhole();
    const unseen = await happen(ada.id);
    await eventually('the process knows of it', async () => (await known()) > before);
    const refused = await open();
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '2']);
    expect(zonesOf(stream)).toEqual([first]);
    const shares = await fixture.request<{ items: { id: string }[] }>(ada, 'GET', `/devices/${deviceId}/shares`);
    await fixture.request(ada, 'DELETE', `/devices/${deviceId}/shares/${shares.body.items[0]!.id}`);
    postgres.up();
    const own = await happen(guest.id, {});
    // Either it comes, or the client is told to read again.
    await eventually('it goes on', () => zonesOf(stream).includes(own) || stream.of('reset').length > 0, 40_000);
    expect(zonesOf(stream)).not.toContain(unseen);
    stream.close();
    await blind.stop();
  }, 90_000);
});

/**
 * P-27, in small: PostgreSQL, Redis and the broker are down, slow, silent, used up, and back. Health says what is away, and
 * every route, socket and device is asked to come back instead of told that we failed.
 * Seen to fail: with each probe asking the database for itself over the pool of the requests, and without the mapping of
 * the errors of the database (platform/prisma/prisma-errors.ts).
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SocketAck } from '../../src/contracts/realtime.js';
import type { Server } from 'socket.io';
import { RealtimeGateway } from '../../src/features/realtime/sockets/realtime.gateway.js';
import type { DashboardSocket } from '../../src/platform/realtime/sockets.js';
import { RateLimiter } from '../../src/platform/rate-limit/rate-limiter.js';
import { Database } from '../../src/platform/prisma/database.js';
import { DevicePublisher } from '../../src/platform/mqtt/device-publisher.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { type ApiRoute, documentedRoutes, fill, GOOD_BODIES } from '../support/api-routes.js';
import { Dashboard } from '../support/dashboard.js';
import { registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { OperatedMosquitto } from '../support/operated-mosquitto.js';
import { scaled } from '../support/promise.js';
import { type Answer, request, textOf } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const ME = '/api/v1/users/me';
/** More than the connections of one address that say nothing, which is where all probes come from here. */
const PROBES = scaled(300, 3_000);
/** More than a dependency may take to answer a check. */
const TOO_SLOW_MS = 1_500;
/** A report is kept for a second, and a check gives up after another. */
const NOTICED_WITHIN_MS = 5_000;

const REFUSED_FOR_NOW = 'mortise_mqtt_messages_refused_total{code="service_unavailable"}';
const ALL_UP = { postgres: 'up', redis: 'up', mqtt: 'up' };

type Dependency = keyof typeof ALL_UP;
interface Report {
  readonly details: Readonly<Record<Dependency, { readonly status: string } | undefined>>;
}

let installation: Installation;
let broker: OperatedMosquitto;
let proxies: Readonly<Record<Dependency, FaultProxy>>;
let app: TestApp;
let routes: ApiRoute[];
let device: RegisteredDevice;

beforeAll(async () => {
  [installation, broker] = await Promise.all([createInstallation(), OperatedMosquitto.start()]);
  proxies = {
    postgres: await FaultProxy.inFrontOf(installation.databaseUrl),
    redis: await FaultProxy.inFrontOf(installation.env.REDIS_URL ?? ''),
    mqtt: await FaultProxy.inFrontOf(broker.backendUrl),
  };
  app = await TestApp.start({
    env: {
      ROLES: 'api,hardware',
      DATABASE_URL: proxies.postgres.url,
      REDIS_URL: proxies.redis.url,
      ...broker.env(proxies.mqtt.url),
    },
  });
  routes = (await documentedRoutes(app.url)).filter(({ path }) => !path.startsWith('/api/health'));
  device = await registerDevice(app.url, await insertAccount(app));
  await broker.addAccounts([device]);
  await eventually('the broker is reached', () => app.get(DevicePublisher).isConnected());
}, 60_000);

afterAll(async () => {
  Object.values(proxies).forEach((proxy) => {
    proxy.up();
  });
  await app.stop();
  await Promise.all(Object.values(proxies).map((proxy) => proxy.close()));
  await broker.server.stop();
  await installation.remove();
});

const health = (path = ''): Promise<Answer<Report>> => request<Report>(app.url, 'GET', `/api/health${path}`);

/** Until `/api/health` and `/api/health/ready` agree on the states of these dependencies, and answer with that status. */
async function healthSays(states: Partial<Record<Dependency, string>>, status: number): Promise<void> {
  await eventually(
    `health answers ${String(status)} and ${JSON.stringify(states)}`,
    async () => {
      const answers = await Promise.all([health(), health('/ready')]);
      return answers.every(
        (each) =>
          each.status === status &&
          Object.entries(states).every(([name, state]) => each.body.details[name as Dependency]?.status === state),
      );
    },
    NOTICED_WITHIN_MS,
  );
  expect((await health('/live')).status).toBe(200);
}

interface Outcome {
  readonly name: string;
  readonly status: number;
  readonly code: string | undefined;
  readonly retryAfter: number;
}

/** A request to every documented route, as an administrator with a session of their own; all at once. */
async function askEverything({ accessToken }: InsertedAccount): Promise<Outcome[]> {
  return Promise.all(
    routes.map(async ({ name, method, path, guarded }) => {
      const ids = { deviceId: device.id, userId: randomUUID(), sessionId: randomUUID(), organizationId: randomUUID() };
      const body = GOOD_BODIES[name]?.();
      const answer = await fetch(app.url + fill(path, ids), {
        method,
        headers: {
          'idempotency-key': randomUUID(),
          ...(guarded ? { authorization: `Bearer ${accessToken}` } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const code = /"code":"(\w+)"/.exec(await textOf(answer))?.[1];
      return { name, status: answer.status, code, retryAfter: Number(answer.headers.get('retry-after')) };
    }),
  );
}

/** An administrator whose session this process knows without asking PostgreSQL again. */
async function newAdmin(): Promise<InsertedAccount> {
  const inserted = await insertAccount(app, { role: 'ADMIN' });
  expect((await request(app.url, 'GET', ME, { token: inserted.accessToken })).status).toBe(200);
  return inserted;
}

/** `queues_unavailable`: Redis keeps the jobs, and no other answer would be true. */
const FOR_A_MOMENT = ['service_unavailable', 'busy', 'queues_unavailable'];

/** What failed in another way than to be unavailable for a moment. */
function wrongRefusals(outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.filter(
    ({ status, code = '', retryAfter }) =>
      status >= 500 && !(status === 503 && FOR_A_MOMENT.includes(code) && retryAfter > 0),
  );
}

/** A private member, where Nest puts the server of the sockets. */
function serverOf(gateway: RealtimeGateway): Server {
  return (gateway as unknown as { server: Server }).server;
}

describe('the probes', () => {
  it(`are all answered when ${String(PROBES)} ask for readiness at once`, async () => {
    // As far away as in another data centre: a check by each probe would take the requests' connections for many seconds.
    proxies.postgres.slow(20);
    const statuses = await Promise.all(
      Array.from({ length: PROBES }, async () => {
        const answer = await fetch(`${app.url}/api/health/ready`);
        await answer.arrayBuffer();
        return answer.status;
      }),
    );
    proxies.postgres.up();
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  }, 30_000);

  it('do not take a database for dead whose connections are all in use, and requests are asked to come back', async () => {
    const { pool } = app.get(Database);
    const someone = await newAdmin();
    const patience = pool.options.connectionTimeoutMillis;
    pool.options.connectionTimeoutMillis = 200;
    const taken = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
    try {
      const outcomes = await askEverything(someone);
      expect(wrongRefusals(outcomes)).toEqual([]);
      expect(outcomes.filter(({ status }) => status === 503).length).toBeGreaterThan(30);
      await healthSays({ postgres: 'up' }, 200);
    } finally {
      taken.forEach((connection) => {
        connection.release();
      });
      pool.options.connectionTimeoutMillis = patience;
    }
    await newAdmin();
  }, 30_000);

  it('go on being ready without Redis and the broker, and are not when PostgreSQL answers too late', async () => {
    proxies.redis.down();
    proxies.mqtt.down();
    await healthSays({ postgres: 'up', redis: 'degraded', mqtt: 'degraded' }, 200);
    expect(wrongRefusals(await askEverything(await newAdmin()))).toEqual([]);
    proxies.postgres.slow(TOO_SLOW_MS);
    await healthSays({ postgres: 'down' }, 503);
    Object.values(proxies).forEach((proxy) => {
      proxy.up();
    });
    await healthSays(ALL_UP, 200);
  }, 30_000);

  it('go on being ready while Redis and the broker are slow, and while Redis says nothing', async () => {
    proxies.redis.slow(TOO_SLOW_MS);
    proxies.mqtt.slow(TOO_SLOW_MS);
    await healthSays({ postgres: 'up', redis: 'degraded', mqtt: 'up' }, 200);
    expect(wrongRefusals(await askEverything(await newAdmin()))).toEqual([]);
    proxies.redis.blackhole();
    await healthSays({ postgres: 'up', redis: 'degraded' }, 200);
    Object.values(proxies).forEach((proxy) => {
      proxy.up();
    });
    await healthSays(ALL_UP, 200);
  }, 30_000);
});

describe('while PostgreSQL is down', () => {
  it('every route asks to come back, sockets and devices are told so, and all is well once it is back', async () => {
    const someone = await newAdmin();
    const dashboard = await Dashboard.connect(app.url, { token: someone.accessToken, clientType: 'dashboard' });
    const subscribe = (): Promise<SocketAck> =>
      dashboard.socket.emitWithAck('subscribe_device', { deviceId: device.id });
    const lock = await ScriptedDevice.connect(broker.deviceUrl, device);
    proxies.postgres.down();
    const outcomes = await askEverything(someone);
    expect(wrongRefusals(outcomes)).toEqual([]);
    expect(outcomes.filter(({ code }) => code === 'service_unavailable').length).toBeGreaterThan(30);
    expect(await subscribe()).toMatchObject({ error: { status: 503, code: 'service_unavailable' } });
    await lock.ack({ commandId: randomUUID(), status: 'executed' });
    await eventually('the message of a device is refused for now', () => app.metric(REFUSED_FOR_NOW));
    await healthSays({ postgres: 'down' }, 503);
    proxies.postgres.up();
    await healthSays({ postgres: 'up' }, 200);
    expect(await subscribe()).toMatchObject({ error: { status: 404 } });
    dashboard.socket.disconnect();
    lock.client.end(true);
  }, 30_000);

  it('counts no person as a stranger whom it cannot verify, and outlives a socket that it cannot join', async () => {
    const [unverified, someone] = [await insertAccount(app), await newAdmin()];
    const dashboard = await Dashboard.connect(app.url, { token: someone.accessToken, clientType: 'dashboard' });
    const cut = new Promise((resolve) => dashboard.socket.once('disconnect', resolve));
    const strangers = async (): Promise<number> =>
      (await app.get(RateLimiter).spend('anonymous', '127.0.0.1')).remaining;
    const gateway = app.get(RealtimeGateway);
    const [socket] = [...serverOf(gateway).of('/').sockets.values()] as unknown as DashboardSocket[];
    if (socket) {
      socket.data.principal = { userId: someone.id, sessionId: randomUUID(), role: 'USER' };
    }
    proxies.postgres.down();
    try {
      const before = await strangers();
      const answer = await request(app.url, 'GET', ME, { token: unverified.accessToken });
      expect([answer.status, answer.body.code]).toEqual([503, 'service_unavailable']);
      const refused = Dashboard.connect(app.url, { token: unverified.accessToken, clientType: 'dashboard' });
      await expect(refused).rejects.toMatchObject({ data: { status: 503, code: 'service_unavailable' } });
      expect(before - (await strangers())).toBe(1);
      await gateway.handleConnection(socket!);
      expect(await cut).toBe('transport close');
    } finally {
      proxies.postgres.up();
    }
    await healthSays({ postgres: 'up' }, 200);
  }, 30_000);
});

/**
 * PostgreSQL is far away or has too little to give: every request is answered within its time, and what matters goes on.
 * Seen to fail: without REQUEST_TIMEOUT and shedding (of 1,221 reads the last was answered after 24.8 s, with a limit of 10 s).
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { type ApiRoute, documentedRoutes, fill, GOOD_BODIES } from '../support/api-routes.js';
import { registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { scaled } from '../support/promise.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

/** Each way. */
const FAR_MS = 2_000;
const REQUEST_TIMEOUT_MS = scaled(8_000, 10_000);
/** For a machine that does other things at the same time. */
const MARGIN_MS = 8_000;
const REQUESTS = scaled(300, 1_500);
const SENT_WITHIN_MS = scaled(3_000, 5_000);
const POOL_SIZE = 8;
const COMMANDS = 'POST /api/v1/devices/{deviceId}/commands';
/** Some of what gives way to nothing. */
const VITAL = [COMMANDS, `DELETE ${COMMANDS.slice(5)}/{commandId}`, 'POST /api/v1/auth/refresh'];
/** Exports and imports: in full alone, because they are waited for. */
const HAVE_MORE_TIME = /\/users\/(?:export|import|bulk)$/;
/** Each way: with four connections for reads, 40 statements a second. */
const NEAR_MS = 50;
const READS_PER_SECOND = 200;
const SATURATED_FOR_MS = scaled(2_500, 20_000);
const COMMANDS_PER_SECOND = 5;

interface Outcome {
  readonly name: string;
  readonly status: number;
  readonly code: string | undefined;
  readonly retryAfter: number;
  readonly tookMs: number;
}

let installation: Installation;
let proxy: FaultProxy;
let app: TestApp;
let admin: InsertedAccount;
let device: RegisteredDevice;
let routes: ApiRoute[];

beforeAll(async () => {
  installation = await createInstallation();
  proxy = await FaultProxy.inFrontOf(installation.databaseUrl);
  app = await TestApp.start({
    env: {
      ROLES: 'api,hardware',
      DATABASE_URL: proxy.url,
      DATABASE_POOL_SIZE: String(POOL_SIZE),
      REDIS_URL: installation.env.REDIS_URL ?? '',
      REQUEST_TIMEOUT: `${String(REQUEST_TIMEOUT_MS)}ms`,
    },
  });
  // Built on the first request, which is much work at once.
  await eventually('the API document is built', async () => (await fetch(`${app.url}/api/docs-json`)).ok);
  const isTried = ({ name, path }: ApiRoute): boolean =>
    !path.startsWith('/api/health') && (scaled(0, 1) === 1 || !HAVE_MORE_TIME.test(name));
  routes = (await documentedRoutes(app.url)).filter(isTried);
}, 60_000);

afterAll(async () => {
  proxy.up();
  await app.stop();
  await proxy.close();
  await installation.remove();
});

async function ask({ name, method, path, guarded }: ApiRoute, body = GOOD_BODIES[name]?.()): Promise<Outcome> {
  const ids = { deviceId: device.id, userId: randomUUID(), sessionId: randomUUID(), organizationId: randomUUID() };
  const began = performance.now();
  const answer = await fetch(app.url + fill(path, ids), {
    method,
    headers: {
      'idempotency-key': randomUUID(),
      ...(guarded ? { authorization: `Bearer ${admin.accessToken}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const code = /"code":"(\w+)"/.exec(await answer.text())?.[1];
  const tookMs = performance.now() - began;
  return { name, status: answer.status, code, retryAfter: Number(answer.headers.get('retry-after')), tookMs };
}

/** Sends `count` requests, evenly over `withinMs`. */
async function flood(count: number, withinMs: number, send: (index: number) => Promise<Outcome>): Promise<Outcome[]> {
  const sent: Promise<Outcome>[] = [];
  const began = performance.now();
  while (sent.length < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - began) / withinMs) * count));
    for (; sent.length < due;) {
      sent.push(send(sent.length));
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return Promise.all(sent);
}

/** Answered neither as usual nor with when to come back, or too late. */
function wrong(outcomes: readonly Outcome[], limitMs: number): Outcome[] {
  return outcomes.filter(
    ({ name, status, retryAfter, tookMs }) =>
      (status >= 500 && !(status === 503 && retryAfter > 0)) ||
      (tookMs > limitMs + MARGIN_MS && !HAVE_MORE_TIME.test(name)),
  );
}

/** A new owner, because the requests of a test end sessions and delete devices. */
async function newOwner(): Promise<void> {
  admin = await insertAccount(app, { role: 'ADMIN' });
  const headers = { authorization: `Bearer ${admin.accessToken}` };
  await eventually('the last flood is over', async () => (await fetch(`${app.url}/api/v1/devices`, { headers })).ok);
  device = await registerDevice(app.url, admin);
  await ScriptedDevice.born(app.mqttUrl, device, randomUUID());
  await eventually('the device is online', async () => {
    const rows = await app.rows('SELECT 1 FROM device_links WHERE device_id = $1', [device.id]);
    return rows.length === 1;
  });
}

/** All connections of the pool are open, so that none has to be made while the database is slow. */
async function fillPool(): Promise<void> {
  await Promise.all(Array.from({ length: POOL_SIZE }, () => app.rows('SELECT pg_sleep(0.2)')));
}

describe('a database that is far away', () => {
  it(`leaves none of ${String(REQUESTS)} requests without an answer in time, and none answered 500`, async () => {
    await newOwner();
    await fillPool();
    proxy.slow(FAR_MS);
    const outcomes = await flood(REQUESTS, SENT_WITHIN_MS, (index) => ask(routes[index % routes.length]!));
    proxy.up();
    expect(wrong(outcomes, REQUEST_TIMEOUT_MS)).toEqual([]);
    const codes = new Set(outcomes.map(({ code }) => code));
    expect([codes.has('busy'), codes.has('deadline_exceeded')]).toEqual([true, true]);
    const vital = outcomes.filter(({ name }) => VITAL.includes(name));
    expect(new Set(vital.map(({ name }) => name)).size).toBe(VITAL.length);
    expect(vital.filter(({ code }) => code === 'busy')).toEqual([]);
  }, 90_000);
});

describe('a database with too little to give', () => {
  it('serves every command among five times as many reads as there is room for, and sheds reads', async () => {
    await newOwner();
    await fillPool();
    proxy.slow(NEAR_MS);
    const route = (name: string): ApiRoute => routes.find((each) => each.name === name)!;
    const [reads, commands] = await Promise.all([
      flood((READS_PER_SECOND * SATURATED_FOR_MS) / 1_000, SATURATED_FOR_MS, () =>
        ask(route('GET /api/v1/devices/{deviceId}')),
      ),
      flood((COMMANDS_PER_SECOND * SATURATED_FOR_MS) / 1_000, SATURATED_FOR_MS, () =>
        ask(route(COMMANDS), { name: 'unlock_door' }),
      ),
    ]);
    proxy.up();
    expect(commands.filter(({ status }) => status !== 202)).toEqual([]);
    expect(wrong([...reads, ...commands], REQUEST_TIMEOUT_MS)).toEqual([]);
    expect(await app.metric('mortise_shed_total{priority="read"}')).toBeGreaterThan(0);
    expect(await app.metric('mortise_shed_total{priority="vital"}')).toBe(0);
    const health = await fetch(`${app.url}/api/health/ready`);
    expect(health.status).toBe(200);
  }, 60_000);
});

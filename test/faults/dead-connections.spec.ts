/**
 * P-27: connections to PostgreSQL and Redis that are silently dead: nothing comes any more, and nothing says that they have
 * ended. Dispatch, feed, rollups, signals and jobs go on by themselves, and health is well again.
 *
 * Seen to fail: a client that disappears in the middle of a request keeps its transaction open at the server, "active" and
 * waiting for the rest; without `transaction_timeout` (session-limits.ts) dispatch and every feed stood still for as long as
 * the test waited. Without `socketTimeout` and the subscriber's question, Redis stayed degraded and signals unheard for good.
 *
 * PROMISE_SCALE=full tries each state of a connection by itself.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { StoredEvent } from '../../src/contracts/events.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { SignalBus } from '../../src/platform/redis/signal-bus.js';
import { createAccount, type Account } from '../support/accounts.fixture.js';
import { registerDevice, sendCommand } from '../support/devices.fixture.js';
import { liveEvents } from '../support/events.fixture.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { request } from '../support/rest.js';
import { scaled } from '../support/promise.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

/** Of the application's connections but the one that health asks over. */
const OURS =
  "datname = current_database() AND application_name LIKE 'mortise:%' AND application_name NOT LIKE '%health%'";
/** More than what a dead connection may cost, on a machine that is busy: 10 s until it is given up, 12 s for its transaction. */
const HEALED_WITHIN_MS = 40_000;

let installation: Installation;
let postgres: FaultProxy;
let redis: FaultProxy;
let app: TestApp;
/** Past the proxies. */
let direct: pg.Pool;
let directRedis: Redis;
let owner: Account;
let device: ScriptedDevice;
let heard: StoredEvent[];

beforeAll(async () => {
  installation = await createInstallation();
  postgres = await FaultProxy.inFrontOf(installation.databaseUrl);
  redis = await FaultProxy.inFrontOf(installation.env.REDIS_URL ?? '');
  direct = new pg.Pool({ connectionString: utcConnection(installation.databaseUrl), max: 2 });
  directRedis = new Redis(installation.env.REDIS_URL ?? '');
  app = await TestApp.start({ env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url } });
  owner = await createAccount(app.url);
  device = await ScriptedDevice.connect(app.mqttUrl, await registerDevice(app.url, owner));
  await device.listen(['commands']);
  await device.birth();
  device.client.on('message', () => {
    const order = device.orders.at(-1);
    if (order) {
      void device.ack({ commandId: order.commandId, status: 'executed' }).catch(() => undefined);
    }
  });
  heard = await liveEvents(app);
  await goesThrough(await accepted());
}, 60_000);

afterAll(async () => {
  postgres.up();
  redis.up();
  await device.end();
  await app.stop();
  directRedis.disconnect();
  await direct.end();
  await Promise.all([postgres.close(), redis.close()]);
  await installation.remove();
});

/** A command that waits for as long as it must. While PostgreSQL is away it is sent again under its key. */
async function accepted(): Promise<string> {
  const key = randomUUID();
  return eventually(
    'a command is accepted',
    async () => {
      const { status, body } = await sendCommand(app.url, owner, device.id, { name: 'lock_door' }, { key });
      return status === 202 ? body.id : pause(200, null);
    },
    HEALED_WITHIN_MS,
  );
}

/** The device got the order, dashboards heard of it, and it is counted. */
async function goesThrough(id: string): Promise<void> {
  const steps = {
    'the order at the device': () => device.orders.some(({ commandId }) => commandId === id),
    'the event on the feed': () => heard.some(({ type, commandId }) => type === 'command_sent' && commandId === id),
    'the event counted': async () => {
      const { rows } = await direct.query(
        `SELECT FROM events e JOIN event_readers r ON r.name = 'event_counts' AND (r.xid, r.event_id) >= (e.xid, e.id)
          WHERE e.command_id = $1 AND e.type = 'command_sent'`,
        [id],
      );
      return rows.length > 0;
    },
  };
  await Promise.all(Object.entries(steps).map(([what, step]) => eventually(what, step, HEALED_WITHIN_MS)));
}

async function healthIsWell(): Promise<void> {
  const well = { postgres: 'up', redis: 'up', mqtt: 'up', loops: 'up', feed: 'up' };
  await eventually(
    `health says ${JSON.stringify(well)}`,
    async () => {
      const { body } = await request<{ details: Record<string, { status: string }> }>(app.url, 'GET', '/api/health');
      return Object.entries(well).every(([name, status]) => body.details[name]?.status === status);
    },
    HEALED_WITHIN_MS,
  );
}

async function idlePorts(limit: number): Promise<number[]> {
  const { rows } = await direct.query<{ port: number }>(
    `SELECT client_port AS port FROM pg_stat_activity WHERE ${OURS} AND state = 'idle' LIMIT $1`,
    [limit],
  );
  return rows.map(({ port }) => port);
}

/** How connections die. Each answers with a command that was accepted meanwhile. */
const FAULTS = {
  'in the middle of a request': async () => {
    postgres.silenceWithin('command_sent');
    const id = await accepted();
    await eventually('a connection has died', () => postgres.hasCut);
    expect(postgres.silence(await idlePorts(1))).toBe(1);
    return id;
  },
  'all of them': async () => {
    expect(postgres.silence()).toBeGreaterThan(2);
    return accepted();
  },
  'while they are being made': async () => {
    postgres.silenceNew();
    await direct.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS}`);
    const waiting = accepted();
    await pause(2_000);
    postgres.up();
    return waiting;
  },
} as const;

/** Silences Redis, and waits until a signal of another process is heard and a job is done. */
async function redisDies(): Promise<void> {
  const signals: string[] = [];
  app.get(SignalBus).on('command_queued', ({ deviceId }) => signals.push(deviceId));
  const done = 'mortise_jobs_total{job="purge_idempotency_keys",outcome="done"}';
  const before = await app.metric(done);
  expect(redis.silence()).toBeGreaterThan(3);
  const queue = new Queue('maintenance', { connection: { url: installation.env.REDIS_URL ?? '' } });
  await queue.add('purge_idempotency_keys', {});
  await eventually('the signal is heard', async () => {
    const signal = { origin: 'another process', name: 'command_queued', body: { deviceId: 'd1' } };
    await directRedis.publish('mortise:signals', JSON.stringify(signal));
    return signals.includes('d1') || pause(100, false);
  });
  await eventually('the job is done', async () => (await app.metric(done)) > before, HEALED_WITHIN_MS);
  await queue.close();
}

/** What dies in each round: one after the other at full scale, both at once otherwise, because each takes its time. */
const ROUNDS: Readonly<Record<string, () => Promise<unknown>>> =
  scaled(0, 1) === 0
    ? {
        'to PostgreSQL in the middle of a request, and to Redis': async () => {
          const [id] = await Promise.all([FAULTS['in the middle of a request'](), redisDies()]);
          await goesThrough(id);
        },
      }
    : {
        ...Object.fromEntries(
          Object.entries(FAULTS).map(([name, fault]) => [
            `to PostgreSQL, ${name}`,
            async () => goesThrough(await fault()),
          ]),
        ),
        'to Redis': redisDies,
      };

describe('connections that die silently', () => {
  it.each(Object.entries(ROUNDS))(
    '%s: everything goes on within seconds, and health is well',
    async (_name, round) => {
      await round();
      await goesThrough(await accepted());
      await healthIsWell();
    },
    120_000,
  );

  it('leave nothing open at the server', async () => {
    await eventually('no transaction is open for long', async () => {
      const { rows } = await direct.query(
        `SELECT FROM pg_stat_activity WHERE ${OURS} AND xact_start < now() - interval '13 seconds'`,
      );
      return rows.length === 0;
    });
  });
});

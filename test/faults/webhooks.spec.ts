/**
 * A webhook outlives what sends it: its receiver refuses, resets and hangs at random, its worker is killed by signal 9, and Redis
 * forgets the jobs. Each arrives, under one id, with a signature that verifies, those of a device in their order.
 *
 * PROMISE_SCALE=full sends 10,000; PROMISE_SEED repeats a run.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import { insertEvents } from '../support/exports.fixture.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { ApplicationProcess } from '../support/process.js';
import { recordFigure, scaled, SEED, tellProgress } from '../support/promise.js';
import { request } from '../support/rest.js';
import { seededRandom } from '../support/seeded-random.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';
import { type ArrivedWebhook, isVerified, type Reaction, WebhookReceiver } from '../support/webhook-receiver.js';
import { hurryWebhooks } from '../support/webhooks.fixture.js';

const DEVICES = 20;
const OF_EACH = scaled(20, 500);
const COUNT = DEVICES * OF_EACH;
const KILLS = scaled(1, 10);
/** Each takes ten seconds of one of two slots. */
const HANGS = scaled(1, 10);
const HURRY_EVERY_MS = 100;

let installation: Installation;
let receiver: WebhookReceiver;
let api: ApplicationProcess;
let worker: ApplicationProcess;
let sql: Sql;
let owner: Account;
let devices: RegisteredDevice[];
const taken: ArrivedWebhook[] = [];
let bad = 0;

beforeAll(async () => {
  receiver = await WebhookReceiver.start();
  installation = await createInstallation({ OUTBOUND_ALLOWED_NETWORKS: '127.0.0.1/32', RATE_LIMIT_SCALE: '1000' });
  const start = (ROLES: string): Promise<ApplicationProcess> =>
    ApplicationProcess.start({ ...installation.env, ROLES });
  [api, worker] = await Promise.all([start('api'), start('worker')]);
  sql = await Sql.open(installation.databaseUrl);
  owner = await createAccount(api.url);
  devices = await Promise.all(Array.from({ length: DEVICES }, () => registerDevice(api.url, owner)));
}, 120_000);

afterAll(async () => {
  await receiver.stop();
  await sql.end();
  await Promise.all([api.stop(), worker.kill()]);
  await installation.remove();
}, 60_000);

/** One of five is not taken. */
function behaveBadly(secret: string): void {
  const random = seededRandom(SEED);
  let hangs = 0;
  receiver.react = (webhook): Reaction => {
    const chance = random();
    // At once: later it would be too old.
    bad += isVerified(secret, webhook) ? 0 : 1;
    if (hangs < HANGS && chance < 0.05) {
      hangs += 1;
      return 'hang';
    }
    if (chance < 0.2) {
      return chance < 0.1 ? 'reset' : 503;
    }
    taken.push(webhook);
    return 204;
  };
}

async function killAndWipe(): Promise<void> {
  await worker.kill();
  const redis = new Redis(installation.env.REDIS_URL!);
  await redis.flushdb();
  redis.disconnect();
  await worker.start();
}

const distinctTaken = (): number => new Set(taken.map(({ id }) => id)).size;

it(
  'P-26: each webhook arrives, under one id, signed, those of a device in their order',
  async () => {
    const body = { url: receiver.url, eventTypes: ['custom'] };
    const made = await request<{ secret: string }>(api.url, 'POST', '/api/v1/webhooks', {
      token: owner.accessToken,
      body,
    });
    behaveBadly(made.body.secret);
    for (const { id } of devices) {
      await insertEvents(sql, { deviceId: id, ownerId: owner.id }, OF_EACH);
    }
    const hurrying = setInterval(() => void hurryWebhooks(sql), HURRY_EVERY_MS);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await eventually('a part arrived', () => distinctTaken() >= (COUNT * kill) / (KILLS + 1), 600_000);
      tellProgress(`${String(distinctTaken())} of ${String(COUNT)}: kill and wipe`);
      await killAndWipe();
    }
    await eventually(
      'all are delivered',
      async () => (await sql.rows(`SELECT 1 FROM webhook_deliveries WHERE state = 'DELIVERED'`)).length === COUNT,
      900_000,
    );
    clearInterval(hurrying);

    const lost = COUNT - distinctTaken();
    const twice = taken.length - distinctTaken();
    recordFigure({
      promise: 'P-26',
      shown: `Webhooks to a receiver that refused, reset or hung at one of five of ${String(receiver.arrived.length)} attempts, with ${String(KILLS)} kills of the worker and wipes of Redis; ${String(twice)} were taken again under the same id.`,
      n: COUNT,
      figure: `${String(lost)} lost, ${String(bad)} with a bad signature`,
      seed: SEED,
    });
    expect({ lost, bad }).toEqual({ lost: 0, bad: 0 });
    expect(outOfOrder()).toEqual([]);
    expect(changedBodies()).toEqual([]);
    // What a killed worker had sent, and could not note.
    expect(twice).toBeLessThanOrEqual(KILLS * 2);
  },
  scaled(180_000, 1_800_000),
);

/** Of those that were taken for the first time, the ones that came after a later one of their device. */
function outOfOrder(): string[] {
  const last = new Map<string, number>();
  const seen = new Set<string>();
  return taken.flatMap(({ id, message: { sequence, data } }) => {
    const device = data.deviceId ?? '';
    const isLate = !seen.has(id) && (sequence ?? 0) !== (last.get(device) ?? 0) + 1;
    if (!seen.has(id)) {
      last.set(device, sequence ?? 0);
    }
    seen.add(id);
    return isLate ? [`${device} ${String(sequence)}`] : [];
  });
}

/** Ids under which another body came than before. */
function changedBodies(): string[] {
  const bodies = new Map<string, string>();
  return receiver.arrived.flatMap(({ id, text }) => {
    const isChanged = (bodies.get(id) ?? text) !== text;
    bodies.set(id, text);
    return isChanged ? [id] : [];
  });
}

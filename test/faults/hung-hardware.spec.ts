/**
 * A hardware process that stands still (SIGSTOP) and goes on, beside another one, over a real Mosquitto. What it was given lies in
 * its socket meanwhile: heartbeats, and the wills and births of locks that reconnected. When it reads them, all of that is old.
 * The locks are scripted: they beat once a second, refuse what is past its deadline, and tell how much time each order left them.
 * Seen to fail: with deadlines counted from the newest report (an order had 6.9 s less than it should), and with an age that ends with
 * the answer to the next ping (the wills of three locks that had reconnected waited in the queue of the broker behind it, and
 * were shown as their end).
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { OperatedMosquitto } from '../support/operated-mosquitto.js';
import { ApplicationProcess } from '../support/process.js';
import { scaled } from '../support/promise.js';
import { ReconnectingLock } from '../support/reconnecting-lock.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

/** Odd, so that the beats of each lock go to one process and the other in turn. */
const LOCKS = scaled(5, 21);
const ROUNDS = scaled(1, 5);
/** More than a hung process may have stood still unnoticed, and at full scale more than an order lives. */
const STOPPED_MS = scaled(5_500, 22_000);
const WATCHED_MS = scaled(0, 20_000);
/**
 * In small the broker does not let the hung process go, and has more for it than it may have under way: the rest waits in
 * its queue. At full scale it lets it go, and drops the queue.
 */
const [KEEPALIVE, WINDOW] = [scaled(20, 5), scaled(10, 1_000)];
/** Of the 15 s that an unlock has, 1 % are the tolerance for clocks; the rest is what a busy machine takes. */
const MOST_TIME_LOST_MS = 3_000;

let broker: OperatedMosquitto;
let installation: Installation;
let api: ApplicationProcess;
let hung: ApplicationProcess;
let owner: Account;
let sql: Sql;
let devices: RegisteredDevice[];
let locks: ReconnectingLock[];
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  broker = await OperatedMosquitto.start({ quiet: true, window: WINDOW });
  closing.push(() => broker.server.stop());
  installation = await createInstallation({ ...broker.env(), MQTT_KEEPALIVE: `${String(KEEPALIVE)}s` });
  closing.push(() => installation.remove());
  [api, hung] = await Promise.all([start('api,worker,hardware'), start('hardware')]);
  sql = await Sql.open(installation.databaseUrl);
  closing.push(() => sql.end());
  owner = await createAccount(api.url);
  devices = await Promise.all(Array.from({ length: LOCKS }, () => registerDevice(api.url, owner)));
  await broker.addAccounts(devices);
  locks = devices.map((device) => new ReconnectingLock(broker.deviceUrl, device, randomUUID()));
  closing.push(() => Promise.all(locks.map((lock) => lock.end())));
  await Promise.all(locks.map((lock) => lock.connect()));
  await eventually('all locks are online', async () => (await offline()).length === 0);
}, 180_000);

afterAll(async () => {
  for (const close of closing.reverse()) {
    await close();
  }
}, 60_000);

async function start(ROLES: string): Promise<ApplicationProcess> {
  const started = await ApplicationProcess.start({ ...installation.env, ROLES, DATABASE_POOL_SIZE: '6' });
  closing.push(() => {
    started.signal('SIGCONT');
    return started.stop();
  });
  return started;
}

const offline = (): Promise<object[]> =>
  sql.rows(`SELECT id, status FROM devices WHERE status <> 'online' OR boot IS NULL`);

const unheardSince = (time: Date): Promise<object[]> =>
  sql.rows('SELECT device_id FROM device_links WHERE last_seen_at <= $1', [time]);

/** How many locks seem to have started later than they did, by their newest reports. */
async function lateReports(): Promise<number> {
  const starts = await sql.rows<{ id: string; start: string }>(
    'SELECT id, extract(epoch FROM boot_reported_at) * 1000 - boot_uptime_ms AS start FROM devices',
  );
  return starts.filter(({ id, start }) => {
    const lock = locks.find((each) => each.id === id);
    return lock !== undefined && Number(start) - lock.startedAt > MOST_TIME_LOST_MS;
  }).length;
}

const disconnections = (): Promise<{ reason: string }[]> =>
  sql.rows(`SELECT payload->>'reason' AS reason FROM events WHERE type = 'device_disconnected'`);

/** An unlock for each lock, again and again. @returns the states in which they ended */
async function unlockAllFor(durationMs: number): Promise<string[]> {
  const until = performance.now() + durationMs;
  const states: string[] = [];
  do {
    const answers = await Promise.all(
      devices.map(({ id }) => sendCommand(api.url, owner, id, { name: 'unlock_door' }, { waitSeconds: 20 })),
    );
    states.push(...answers.map(({ body }) => body.state));
  } while (performance.now() < until);
  return states;
}

/** Every second message of a channel is given to each process, while the broker has not let it go. */
async function throughStandstill(): Promise<void> {
  hung.signal('SIGSTOP');
  for (let sent = 0; sent < 2 * WINDOW && sent < 60; sent += LOCKS) {
    await Promise.all(locks.map((lock) => lock.beat()));
  }
  await Promise.all(locks.map((lock) => lock.reconnect()));
  const reconnectedAt = new Date();
  await eventually(
    'the other process has heard of every lock since',
    async () => (await offline()).length === 0 && (await unheardSince(reconnectedAt)).length === 0,
  );
  // As a lock that beats twice a minute does: the report that comes late is the newest for a while.
  await Promise.all(locks.map((lock) => lock.beat()));
  locks.forEach((lock) => {
    lock.hush();
  });
  await pause(STOPPED_MS);
  const before = await disconnections();
  locks.forEach((lock) => {
    lock.orders.length = 0;
  });
  hung.signal('SIGCONT');
  await eventually('a heartbeat has come late', async () => (await lateReports()) > 0);
  const states = await unlockAllFor(WATCHED_MS);
  expect(new Set(states)).toEqual(new Set(['EXECUTED']));
  expect(locks.flatMap(({ orders }) => orders).filter(({ refused, late }) => refused || late)).toEqual([]);
  expect(Math.max(...locks.flatMap(({ orders }) => orders.map(({ lostMs }) => lostMs)))).toBeLessThan(
    MOST_TIME_LOST_MS,
  );
  expect(await offline()).toEqual([]);
  expect((await disconnections()).slice(before.length)).toEqual([]);
}

describe('a hardware process that stands still and goes on', () => {
  it(
    `costs no order its time and shows no connected lock offline (${String(ROUNDS)} times here)`,
    async () => {
      await unlockAllFor(0);
      for (let round = 0; round < ROUNDS; round += 1) {
        await throughStandstill();
      }
    },
    ROUNDS * (STOPPED_MS + WATCHED_MS + 60_000),
  );
});

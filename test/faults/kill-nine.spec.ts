/**
 * P-01: a command acknowledged with 2xx survives kill -9. P-02: no command actuates twice. Here the application is
 * killed between the 202 and the ack as `npm start` runs it, in one process with the embedded broker;
 * roles-apart.spec.ts kills every part of a deployment. The truth about the bolts is in files that the locks, processes
 * of their own, fsync before they answer.
 * Seen to fail: without the sweeper a command stays open for ever; with a lock that has neither memory nor counters
 * (tools/virtual-lock/verify-order.ts) bolts move twice, because orders are sent again.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { NO_DISCREPANCIES, compare, countStates, CommandRecords } from '../support/command-records.js';
import { VirtualLockProcess } from '../support/virtual-lock-process.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { registerDevice, sendCommand } from '../support/devices.fixture.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { ApplicationProcess } from '../support/process.js';
import { request } from '../support/rest.js';
import { recordFigure, scaled, SEED } from '../support/promise.js';
import { seededRandom } from '../support/seeded-random.js';
import { eventually } from '../support/wait.js';

/** In continuous integration roles-apart.spec.ts kills more, and waits for what no lock answers. */
const KILLS = scaled(1, 20);
const LONGEST_PAUSE_MS = 60;
const TERMINAL_WITHIN_MS = 60_000;
/** The second one moves so late that every kill falls before its ack; the others may be through or in the middle. */
const FAULTS = [[], ['slow=500'], ['duplicate-acks'], []];
/** One more never answers: only the sweeper of the next life can settle its command. It is asked at the last kill. */
const DEAF = ['deaf'];
const ASKED_LAST = scaled(FAULTS.length, FAULTS.length + 1);

interface Sent {
  readonly deviceId: string;
  readonly name: string;
  readonly key: string;
  /** Once it was accepted. */
  id?: string;
}

let installation: Installation;
let application: ApplicationProcess;
let records: CommandRecords;
let owner: Account;
let locks: VirtualLockProcess[];

beforeAll(async () => {
  installation = await createInstallation();
  application = await ApplicationProcess.start(installation.env);
  records = await CommandRecords.open(installation.databaseUrl);
  owner = await createAccount(application.url);
  const { url, mqttUrl } = application;
  locks = await Promise.all(
    [...FAULTS, DEAF].slice(0, ASKED_LAST).map(async (faults) => {
      const device = await registerDevice(url, owner);
      return new VirtualLockProcess({ device, url, mqttUrl, directory: installation.directory, faults });
    }),
  );
  await Promise.all(locks.map((lock) => lock.online()));
}, 60_000);

afterAll(async () => {
  await Promise.all(locks.map((lock) => lock.stop()));
  await application.stop();
  await records.close();
  await installation.remove();
}, 60_000);

/** An unlock is refused while a lock has no link; its next heartbeat opens it again, should a birth have been lost. */
async function allLinked(): Promise<void> {
  await eventually('every lock is linked again', async () => {
    const { body } = await request<{ items: { status: string }[] }>(application.url, 'GET', '/api/v1/devices', {
      token: owner.accessToken,
    });
    return body.items.every(({ status }) => status === 'online');
  });
}

/** As a phone does: sends it, and goes on asking with the same key until it has an answer. */
async function send(order: Sent, attempts: number): Promise<void> {
  for (let attempt = 1; attempt <= attempts && order.id === undefined; attempt += 1) {
    const answer = await sendCommand(
      application.url,
      owner,
      order.deviceId,
      { name: order.name },
      { key: order.key },
    ).catch(() => null);
    if (answer) {
      expect(answer).toMatchObject({ status: 202 });
      order.id = answer.body.id;
    }
  }
}

describe('P-01, P-02: kill -9 of the application between the 202 and the ack', () => {
  it(
    `settles every accepted command and moves no bolt twice or late, killed ${String(KILLS)} times`,
    async () => {
      const random = seededRandom(SEED);
      const sent: Sent[] = [];
      let interrupted = 0;
      let slowestMs = 0;

      for (let kill = 1; kill <= KILLS; kill += 1) {
        // The first may wait for as long as a busy machine needs to start the application: an unlock may not.
        const name = kill % 2 === 1 ? 'lock_door' : 'unlock_door';
        const asked = locks.slice(0, kill === KILLS ? ASKED_LAST : FAULTS.length);
        const orders: Sent[] = asked.map(({ deviceId }) => ({ deviceId, name, key: randomUUID() }));
        const requests = orders.map((order) => send(order, 1));
        await Promise.any(
          requests.map((request, index) =>
            request.then(() => orders[index]?.id ?? Promise.reject(new Error('unanswered'))),
          ),
        );
        await pause(random() * LONGEST_PAUSE_MS);
        const timesOnline = locks.map((lock) => lock.timesOnline);
        const killedAt = new Date();
        await application.kill();
        await Promise.all(requests);

        await application.start();
        await Promise.all(orders.map((order) => send(order, 3)));
        const entries = await records.settled(TERMINAL_WITHIN_MS);
        slowestMs = Math.max(slowestMs, Date.now() - killedAt.getTime());
        const open = entries.filter(
          ({ id, finishedAt }) => orders.some((order) => order.id === id) && (finishedAt ?? 0) > killedAt,
        );
        interrupted += open.length;
        sent.push(...orders);
        await Promise.all(locks.map((lock, index) => lock.online(timesOnline[index])));
        await allLinked();
      }

      const entries = await records.settled(TERMINAL_WITHIN_MS);
      expect(sent.map(({ id }) => id).sort()).toEqual(entries.map(({ id }) => id).sort());
      const actuations = new Map(locks.map((lock) => [lock.deviceId, lock.actuations()]));
      expect(compare(entries, actuations)).toEqual(NO_DISCREPANCIES);
      // The kills hit what they were aimed at.
      expect(interrupted).toBeGreaterThanOrEqual(KILLS);

      const states = countStates(entries);
      recordFigure({
        promise: 'P-01',
        shown:
          'kill -9 of the application between the 202 and the ack: every accepted command reached a terminal state; ' +
          `${String(interrupted)} of ${String(entries.length)} commands were under way when it died (${states}).`,
        n: KILLS,
        figure: `0 lost, slowest ${(slowestMs / 1000).toFixed(1)} s after the kill`,
        seed: SEED,
      });
      recordFigure({
        promise: 'P-02',
        shown: 'The same kills, with every unanswered request sent again under its Idempotency-Key.',
        n: entries.length,
        figure: `0 bolts moved twice, 0 late, ${String([...actuations.values()].flat().length)} movements on disk`,
        seed: SEED,
      });
    },
    60_000 + KILLS * 30_000,
  );
});

/**
 * P-29: dashboards whose connections end all the time, each in another way, while events flow without a pause: every dashboard hears
 * every event once and in order, also when the process that serves them all is restarted under them.
 * Seen to fail: with clients that sent no last cursor (19,694 of 28,300 deliveries were missing), and with those that sent the first
 * one they ever had (6,583 came twice).
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { DashboardCrowd } from '../support/dashboard-crowd.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { ApplicationProcess } from '../support/process.js';
import { recordFigure, scaled, SEED, tellProgress } from '../support/promise.js';
import { seededRandom } from '../support/seeded-random.js';
import { TestApp } from '../support/test-app.js';

const CLIENTS = scaled(30, 5_000);
const EVENT_EVERY_MS = scaled(10, 250);
const ROUNDS = scaled(6, 40);
/** By `kill -9`, then by SIGTERM. */
const RESTARTS = scaled(1, 2);
const ROUND_MS = scaled(100, 500);
/** Of all connections, in each round; and of those that go through the faulty network, as many again. */
const DROPPED = scaled(0.25, 0.02);
/** Every so manieth dashboard is behind the faulty network. */
const BEHIND_PROXY = 5;

let installation: Installation;
let writer: TestApp;
let api: ApplicationProcess;
let network: FaultProxy;

beforeAll(async () => {
  installation = await createInstallation({ CONNECTIONS_PER_ADDRESS: '100000', JWT_ACCESS_EXPIRY: '1h' });
  [writer, api] = await Promise.all([
    TestApp.start({ env: { ...installation.env, ROLES: 'worker' } }),
    ApplicationProcess.start({ ...installation.env, ROLES: 'api' }),
  ]);
  network = await FaultProxy.inFrontOf(api.url);
}, 120_000);

afterAll(async () => {
  await network.close();
  await api.kill();
  await writer.stop();
  await installation.remove();
});

function gather(random: () => number): Promise<DashboardCrowd> {
  return DashboardCrowd.gather(writer, {
    size: CLIENTS,
    urlOf: (index) => (index % BEHIND_PROXY === 0 ? network.url : api.url),
    random,
  });
}

it(
  'P-29: every dashboard hears every event once and in order, however connections end and processes are restarted',
  async () => {
    const random = seededRandom(SEED);
    const crowd = await gather(random);
    tellProgress(`${String(CLIENTS)} dashboards are connected`);
    const end = crowd.pour(EVENT_EVERY_MS);
    let dropped = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      dropped += crowd.dropSome(DROPPED, random) + network.resetSome(DROPPED, random);
      await pause(ROUND_MS);
    }
    const afterDrops = await crowd.allBack();
    tellProgress(`${String(dropped)} connections were dropped`);
    const backAfter: number[] = [];
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      await (restart % 2 === 0 ? api.kill() : api.stop());
      expect(crowd.connected).toBeLessThan(CLIENTS);
      await api.start();
      backAfter.push(await crowd.allBack());
      tellProgress(`all are back ${backAfter.at(-1)?.toFixed(0) ?? ''} ms after the process was ready`);
    }
    await end();
    const { events, expected, ...wrong } = await crowd.deliveries();
    crowd.stop();
    recordFigure({
      promise: 'P-29',
      shown: `${String(CLIENTS)} dashboards, ${String(dropped)} connections dropped, and the process restarted under all of them ${String(RESTARTS)} times, while ${String(events)} events flowed; all were back ${afterDrops.toFixed(0)} ms after the last drop, and ${backAfter.map((ms) => ms.toFixed(0)).join(' and ')} ms after the process was ready.`,
      n: expected,
      figure: `${String(wrong.missing)} missing, ${String(wrong.twice)} twice, ${String(wrong.disordered)} dashboards out of order, ${String(wrong.resyncs)} told to read again`,
      seed: SEED,
    });
    expect(wrong).toEqual({ missing: 0, twice: 0, disordered: 0, resyncs: 0 });
    expect(dropped).toBeGreaterThan(CLIENTS / 4);
    expect(events).toBeGreaterThan(50);
    expect(crowd.connections).toBeGreaterThanOrEqual(CLIENTS * (1 + RESTARTS));
  },
  scaled(90_000, 900_000),
);

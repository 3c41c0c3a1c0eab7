/**
 * Notifications outlive what sends them: workers are killed by signal 9 with mails under way, and Redis forgets the jobs. What was
 * under way is so again within 2.5 s of the kill, and each mail is sent under its one Message-ID.
 *
 * PROMISE_SCALE=full sends 10,000, with more kills.
 */
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { MailServer } from '../support/mail-server.js';
import { insertDueMails, messageStates } from '../support/message-rows.js';
import { ApplicationProcess } from '../support/process.js';
import { scaled } from '../support/promise.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

const BACK_WITHIN_MS = 2_500;
/** Of each mail, at the mail server: so that many are under way when a worker is killed. */
const TAKES_MS = 30;
/** Of one worker, at most: two slots for what is urgent, and two for the rest. */
const UNDER_WAY = 80;

let installation: Installation;
let mails: MailServer;
let api: ApplicationProcess;
let workers: readonly [ApplicationProcess, ApplicationProcess];
let sql: Sql;
let owner: Account;

beforeAll(async () => {
  mails = await MailServer.start();
  installation = await createInstallation({ SMTP_URL: mails.url, RATE_LIMIT_SCALE: '1000' });
  const start = (ROLES: string): Promise<ApplicationProcess> =>
    ApplicationProcess.start({ ...installation.env, ROLES });
  [api, ...workers] = await Promise.all([start('api'), start('worker'), start('worker')]);
  sql = await Sql.open(installation.databaseUrl);
  owner = await createAccount(api.url);
  await mails.pace({ delayMs: TAKES_MS });
}, 120_000);

afterAll(async () => {
  await sql.end();
  await Promise.all([api.stop(), ...workers.map((worker) => worker.kill())]);
  await installation.remove();
  await mails.stop();
}, 60_000);

beforeEach(async () => {
  await sql.rows('DELETE FROM notifications');
  await sql.rows('DELETE FROM notification_messages');
  mails.mails.length = 0;
});

/** In two lanes, so that hardly ever one worker has all slots. */
async function insertMails(count: number): Promise<void> {
  await insertDueMails(sql, owner.id, count / 2, true);
  await insertDueMails(sql, owner.id, count / 2, false);
}

const arrived = (): string[] =>
  mails.mails.filter(({ head }) => head.includes('List-Unsubscribe')).map(({ messageId }) => messageId);

/** What is under way, and by which attempt. */
const underWay = (): Promise<{ id: string; attempts: number }[]> =>
  sql.rows(`SELECT id, attempts FROM notification_messages WHERE state = 'PENDING' AND attempts > failures`);

/** Of what was under way, in milliseconds: until it all was again, or had ended, and until it had ended. */
interface Back {
  readonly atWorkMs: number;
  readonly endedMs: number;
}

async function backAfter(lost: Awaited<ReturnType<typeof underWay>>, sinceMs: number): Promise<Back> {
  const noneIs = (condition: string) => async (): Promise<boolean> => {
    const rows = await sql.rows(
      `SELECT 1 FROM notification_messages m JOIN unnest($1::uuid[], $2::int[]) AS lost(id, attempts) USING (id)
       WHERE m.state = 'PENDING' AND ${condition} LIMIT 1`,
      [lost.map(({ id }) => id), lost.map(({ attempts }) => attempts)],
    );
    return rows.length === 0;
  };
  await eventually('what was under way is so again', noneIs('m.attempts = lost.attempts'));
  const atWorkMs = Math.round(performance.now() - sinceMs);
  await eventually('what was under way has ended', noneIs('true'));
  return { atWorkMs, endedMs: Math.round(performance.now() - sinceMs) };
}

const told = ({ atWorkMs, endedMs }: Back): string => `${String(atWorkMs)} (all ended after ${String(endedMs)})`;

/** All have ended as sent, each under one Message-ID. @returns how many arrived again under theirs */
async function allSent(count: number): Promise<number> {
  await eventually('all have ended', async () => (await messageStates(sql)).SENT === count, 300_000);
  expect(await messageStates(sql)).toEqual({ SENT: count });
  expect(new Set(arrived()).size).toBe(count);
  return arrived().length - count;
}

it(
  'another worker goes on with what a killed one had under way',
  async () => {
    const [count, kills] = [scaled(600, 10_000), scaled(1, 10)];
    const times: Back[] = [];
    await insertMails(count);
    for (let kill = 1; kill <= kills; kill += 1) {
      await eventually('a part is sent', () => arrived().length > (count * kill) / (kills + 5), 120_000);
      await workers[0].kill();
      const killedAt = performance.now();
      times.push(await backAfter(await underWay(), killedAt));
      if (kill < kills) {
        await workers[0].start();
      }
    }
    const again = await allSent(count);
    process.stdout.write(
      `  ${String(count)} mails, ${String(kills)} kills: back at work after ${times.map(told).join(', ')} ms, ${String(again)} sent again under their ids\n`,
    );
    expect(Math.max(...times.map(({ atWorkMs }) => atWorkMs))).toBeLessThanOrEqual(BACK_WITHIN_MS);
    // What it had sent, and could not note.
    expect(again).toBeLessThanOrEqual(kills * UNDER_WAY);
  },
  scaled(120_000, 900_000),
);

it(
  'a new worker goes on where the only one was killed, and Redis wiped: every row ends',
  async () => {
    const [count, kills] = [scaled(600, 10_000), scaled(2, 10)];
    const times: string[] = [];
    const redis = new Redis(installation.env.REDIS_URL!);
    await insertMails(count);
    for (let kill = 1; kill <= kills; kill += 1) {
      await eventually('a part is sent', () => arrived().length > (count * kill) / (kills + 3), 120_000);
      await workers[1].kill();
      const killedAt = performance.now();
      const lost = await underWay();
      // Every second time its jobs, and their locks, are still there.
      if (kill % 2 === 1) {
        await redis.flushdb();
      }
      await workers[1].start();
      const bootMs = Math.round(performance.now() - killedAt);
      times.push(`${told(await backAfter(lost, killedAt))}, ${String(bootMs)} of them its boot`);
    }
    redis.disconnect();
    const again = await allSent(count);
    process.stdout.write(
      `  ${String(count)} mails, ${String(kills)} kills: back after ${times.join(', ')} ms, ${String(again)} sent again under their ids\n`,
    );
    expect(again).toBeLessThanOrEqual(kills * UNDER_WAY);
  },
  scaled(120_000, 900_000),
);

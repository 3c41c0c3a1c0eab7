import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { INSERT_EVENTS } from '../../src/platform/events/event-store.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { type Candidate, compare } from '../support/comparison.js';
import { nowMs } from '../support/monotonic.js';
import { startMortise } from '../support/servers.js';
import { DATABASE, type Services } from '../support/services.js';

const NOTIFICATIONS = 5_000;
const EVENTS_AT_ONCE = 500;
/** Ten for each in a round: of what is urgent, more would share a mail. */
const PEOPLE = 500;
const ROUNDS = 5;
/** As many as the worker of notifications runs at once. */
const CONCURRENCY = 10;
const LOOK_EVERY_MS = 10;
/** As the application tells its readers of what it appended. */
const HINT = ['mortise:signals', JSON.stringify({ origin: 'bench', name: 'events_appended', body: {} })] as const;

/** Where it ends: a row that the list shows, or a mail that its transport took. */
const DONE = {
  in_app: `SELECT count(*)::int AS count FROM notifications WHERE user_id = ANY ($1::uuid[])`,
  email: `SELECT count(*)::int AS count FROM notification_messages WHERE state = 'SENT' AND user_id = ANY ($1::uuid[])`,
} as const;

/** From events in the log to notifications, and to mails of one each, against a job of BullMQ for each that does nothing. */
export async function notifications(services: Services): Promise<void> {
  const server = await startMortise(services, { ROLES: 'worker' });
  const sql = new pg.Client({ connectionString: utcConnection(services.databaseUrl(DATABASE)) });
  await sql.connect();
  const redis = new Redis(services.redisUrl);
  const raw = rawQueue(services.redisUrl);
  for (const [title, channel] of [
    ['in the app', 'in_app'],
    ['urgent, each with a mail of its own, to the log', 'email'],
  ] as const) {
    await compare({
      title: `Notifications ${title}`,
      candidates: [await mortise(server.pid, sql, redis, channel), raw.candidate],
      ratios: ['per second'],
      rounds: ROUNDS,
    });
  }
  await raw.close();
  redis.disconnect();
  await sql.end();
  await server.stop();
}

/** Events of people who want to be told over the one channel: each is judged, and has its row. */
async function mortise(pid: number, sql: pg.Client, redis: Redis, channel: keyof typeof DONE): Promise<Candidate> {
  const people = Array.from({ length: PEOPLE }, () => randomUUID());
  await sql.query(
    `WITH people AS (INSERT INTO users (id, email, display_name, updated_at)
       SELECT id, id || '@example.com', 'Person', now() FROM unnest($1::uuid[]) AS r(id) RETURNING id)
     INSERT INTO user_preferences (user_id, notification_channels, updated_at) SELECT id, ARRAY[$2], now() FROM people`,
    [people, channel],
  );
  const records = Array.from({ length: EVENTS_AT_ONCE }, (_, n) => {
    const userId = people[n % PEOPLE];
    const payload = { sessionId: randomUUID(), client: 'Firefox on Linux', address: '192.0.2.7' };
    return { type: 'signed_in_anew', payload, source: 'system', actor: 'system', user_id: userId };
  });
  let expected = 0;
  return {
    name: 'Mortise',
    pid,
    round: async () => {
      expected += NOTIFICATIONS;
      await sql.query('DELETE FROM notification_windows WHERE user_id = ANY ($1::uuid[])', [people]);
      const startMs = nowMs();
      for (let written = 0; written < NOTIFICATIONS; written += EVENTS_AT_ONCE) {
        await sql.query({ name: 'events_insert', text: INSERT_EVENTS, values: [JSON.stringify(records)] });
        await redis.publish(...HINT);
      }
      while ((await sql.query<{ count: number }>(DONE[channel], [people])).rows[0]?.count !== expected) {
        await setTimeout(LOOK_EVERY_MS);
      }
      return figures(startMs);
    },
  };
}

function rawQueue(url: string): { candidate: Candidate; close: () => Promise<void> } {
  const queue = new Queue('bench', { connection: { url } });
  let done = 0;
  const work = (): Promise<void> => {
    done += 1;
    return Promise.resolve();
  };
  const worker = new Worker('bench', work, { connection: { url }, concurrency: CONCURRENCY });
  const data = { channel: 'email', userId: randomUUID() };
  const options = { removeOnComplete: true, removeOnFail: true };
  return {
    candidate: {
      name: 'raw BullMQ',
      pid: process.pid,
      round: async () => {
        done = 0;
        const startMs = nowMs();
        for (let added = 0; added < NOTIFICATIONS; added += EVENTS_AT_ONCE) {
          await queue.addBulk(Array.from({ length: EVENTS_AT_ONCE }, () => ({ name: 'send', data, opts: options })));
        }
        while (done < NOTIFICATIONS) {
          await setTimeout(LOOK_EVERY_MS);
        }
        return figures(startMs);
      },
    },
    close: async () => {
      await worker.close();
      await queue.close();
    },
  };
}

function figures(startMs: number): { operations: number; figures: { 'per second': number } } {
  return { operations: NOTIFICATIONS, figures: { 'per second': (NOTIFICATIONS * 1_000) / (nowMs() - startMs) } };
}

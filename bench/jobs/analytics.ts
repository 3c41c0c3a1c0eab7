import { ok } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { KIND_SQL } from '../../src/features/history/counts/counted-events.sql.js';
import { migrate } from '../../src/platform/prisma/migrations/migrate.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { createDatabase } from '../../tools/stack/postgres.js';
import { print, step } from '../../tools/stack/steps.js';
import { HttpClient } from '../support/http-client.js';
import { nowMs } from '../support/monotonic.js';
import { startMortise } from '../support/servers.js';
import type { Services } from '../support/services.js';
import { percentile } from '../support/statistics.js';

const EVENTS = 10_000_000;
const AT_ONCE = 1_000_000;
/** At a time, one for each core of a small machine. */
const WRITERS = 2;
const DAYS = 90;
const DEVICES = 1_000;
/** Devices of the person who asks; the rest is of another one. */
const OWNED = 10;
const ROUNDS = 100;

const DEVICE = (n: string): string => `('00000000-0000-4000-8000-' || lpad(to_hex((${n})::int), 12, '0'))::uuid`;
const ONE = '00000000-0000-4000-8000-000000000000';
/** A custom period begins and ends within a quarter of an hour. */
const CUSTOM = `period=custom&from=${ago(20.1)}&until=${ago(3.3)}`;

const QUESTIONS: readonly string[] = ['24h', '7d', '30d']
  .flatMap((period) =>
    [`dashboard?`, `trends?`, `distribution?`, `top-doors?`, `devices/${ONE}/usage?`, `offline?`].map(
      (path) => `${path}period=${period}&timeZone=Asia/Kathmandu`,
    ),
  )
  .concat([`trends?${CUSTOM}`, 'live']);

/** What an owner of ten doors waits for, of ten million events of a thousand devices in ninety days. */
export async function analytics(services: Services): Promise<void> {
  const url = services.databaseUrl('mortise_analytics');
  await createDatabase(services.databaseUrl, 'mortise_analytics');
  await migrate(url);
  // Before any process is there: it would read all of the log as it comes.
  await step(`${EVENTS.toLocaleString('en')} events`, () => withDatabase(url, (sql) => fill(sql, url)));
  const server = await startMortise({ ...services, databaseUrl: () => url }, { ROLES: 'api' });
  const http = new HttpClient(server.url, 1);
  const account = { email: 'own@example.com', password: randomUUID() };
  const { id: userId } = await http.post<{ id: string }>('/auth/register', account);
  await withDatabase(url, (sql) =>
    sql.query(`UPDATE devices SET owner_id = $1 WHERE id < ${DEVICE('$2')}`, [userId, OWNED]),
  );
  const { accessToken } = await http.post<{ accessToken: string }>('/auth/login', {
    identifier: account.email,
    password: account.password,
  });
  // Redis, which may have been wiped, is first asked here, and nothing is kept there for a minute since (docs/cache.md).
  await measure(http, accessToken, 'live', '', 1);
  await step('the first minute of Redis', () => setTimeout(65_000));
  print(
    `\nAnalyses of ${String(OWNED)} devices, of ${EVENTS.toLocaleString('en')} events of ${String(DEVICES)}; n ${String(ROUNDS)} each; p50 and p95 in ms`,
  );
  for (const question of QUESTIONS) {
    const cold = await measure(http, accessToken, question, 'max-age=0');
    const warm = await measure(http, accessToken, question, '');
    print(`| ${question} | ${cold} | ${warm} |`);
  }
  print(`  load average ${(loadavg()[0] ?? NaN).toFixed(1)}`);
  http.close();
  await server.stop();
}

async function measure(
  http: HttpClient,
  accessToken: string,
  question: string,
  cacheControl: string,
  rounds = ROUNDS,
): Promise<string> {
  const headers = {
    authorization: `Bearer ${accessToken}`,
    ...(cacheControl === '' ? {} : { 'cache-control': cacheControl }),
  };
  const times: number[] = [];
  for (let round = -3; round < rounds; round += 1) {
    const startMs = nowMs();
    const { status, body } = await http.send({ method: 'GET', path: `/api/v1/analytics/${question}`, headers });
    ok(status === 200, `${question} answered ${String(status)}: ${body}`);
    if (round >= 0) {
      times.push(nowMs() - startMs);
    }
  }
  return `${percentile(times, 50).toFixed(1)} | ${percentile(times, 95).toFixed(1)}`;
}

async function withDatabase(url: string, use: (sql: pg.Client) => Promise<unknown>): Promise<void> {
  const sql = new pg.Client({ connectionString: utcConnection(url) });
  await sql.connect();
  await use(sql);
  await sql.end();
}

const INSERT_EVENTS = `INSERT INTO events (received_at, occurred_at, type, source, device_id, user_id, actor, payload)
  SELECT t, t, CASE WHEN g % 10 < 6 THEN 'door_status_changed' WHEN g % 10 < 8 THEN 'motion_detected' ELSE 'command_executed' END, 'mqtt',
    ${DEVICE(`g % ${String(DEVICES)}`)}, '${ONE}', 'system', CASE WHEN g % 10 < 6
      THEN jsonb_build_object('lockState', CASE (g / 1000) % 2 WHEN 0 THEN 'locked' ELSE 'unlocked' END) ELSE '{"name": "lock_door"}' END
  FROM (SELECT g, now() - interval '2 minutes' - ($3 - g) * (interval '${String(DAYS)} days' / $3) AS t
    FROM generate_series($1::bigint, $2::bigint) g) s`;

async function fill(sql: pg.Client, url: string): Promise<void> {
  await sql.query(`SELECT make_event_partition(w, w + interval '1 week') FROM generate_series(
    date_trunc('week', now()) - interval '13 weeks', date_trunc('week', now()) - interval '1 week', interval '1 week') AS w`);
  await sql.query(`INSERT INTO users (id, email, display_name) VALUES ('${ONE}', 'other@example.com', 'Other')`);
  await sql.query(
    `INSERT INTO devices (id, owner_id, name, hardware_id, created_at, owned_since)
     SELECT ${DEVICE('n')}, '${ONE}', 'Door ' || n, 'hardware-' || n, now() - interval '1 year', now() - interval '1 year'
     FROM generate_series(0, $1 - 1) n`,
    [DEVICES],
  );
  const parts = Array.from({ length: EVENTS / AT_ONCE }, (_, part) => part * AT_ONCE + 1);
  await Promise.all(
    Array.from({ length: WRITERS }, (_, writer) =>
      withDatabase(url, async (own) => {
        for (const from of parts.filter((_, part) => part % WRITERS === writer)) {
          await own.query(INSERT_EVENTS, [from, from + AT_ONCE - 1, EVENTS]);
        }
      }),
    ),
  );
  await sql.query(`INSERT INTO event_counts (at, device_id, type, kind, count)
    SELECT date_bin('15 minutes', e.received_at, '2026-01-01Z'), e.device_id, e.type, ${KIND_SQL}, count(*) FROM events e GROUP BY 1, 2, 3, 4 ORDER BY 1`);
  // All have read all of it.
  await sql.query(`INSERT INTO event_readers (name) VALUES ('event_counts'), ('live_feed') ON CONFLICT DO NOTHING`);
  await sql.query(
    `UPDATE event_readers SET (xid, event_id) = (SELECT xid, id FROM events ORDER BY xid DESC, id DESC LIMIT 1)`,
  );
  await sql.query('VACUUM ANALYZE events');
  await sql.query('VACUUM ANALYZE event_counts');
}

/** So many days ago. */
function ago(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString();
}

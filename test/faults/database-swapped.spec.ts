/**
 * A database that is not the one of its event log, noticed at boot and while processes live: swapped, copied, rebuilt, behind,
 * adopted under a living process. Seen to fail without the check of each new connection (the process went on in the copy), and
 * with positions or identity alone.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { adoptDatabase } from '../../src/apps/adoption.js';
import { loadConfig } from '../../src/config/load-config.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { numbered } from '../support/events.fixture.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { createEmptyDatabase } from '../support/postgres.js';
import { ApplicationProcess } from '../support/process.js';
import { request } from '../support/rest.js';
import { Sql } from '../support/sql.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

/** Without a probe, a process looks every five seconds. */
const NOTICED_WITHIN_MS = 20_000;
const REFUSED = /npm run db:adopt/;

let installation: Installation;
let env: Record<string, string>;
/** On a database beside those of the tests, which can drop and rename them. */
let server: Sql;

beforeAll(async () => {
  server = await Sql.open((await createEmptyDatabase()).url);
});
afterAll(() => server.end());

beforeEach(async () => {
  installation = await createInstallation();
  env = { ...installation.env, ROLES: 'api' };
});

const nameOf = (url: string): string => new URL(url).pathname.slice(1);
const adopt = (): ReturnType<typeof adoptDatabase> => adoptDatabase(loadConfig(env));

async function onDatabase(...statements: string[]): Promise<void> {
  const sql = await Sql.open(installation.databaseUrl);
  for (const statement of statements) {
    await sql.rows(statement);
  }
  await sql.end();
}

async function write(app: TestApp, n: number): Promise<void> {
  await app.get(Transactions).run(() => app.get(EventLog).append(numbered(n)));
}

/** Starts on the database, and stops again: its identity is recorded. */
async function startOnce(): Promise<void> {
  const app = await TestApp.start({ env });
  await write(app, 1);
  await app.stop();
}

/** Replaces the database by a copy of it under the same name, as a restore within one cluster does. */
async function replaceByCopy(): Promise<void> {
  const name = nameOf(installation.databaseUrl);
  await server.rows(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await server.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, [name]);
  await server.rows(`ALTER DATABASE ${name} RENAME TO ${name}_old`);
  await server.rows(`CREATE DATABASE ${name} TEMPLATE ${name}_old`);
  await server.rows(`DROP DATABASE ${name}_old WITH (FORCE)`);
}

describe('at boot', () => {
  it('refuses a copy in the same cluster, and takes it once it is adopted', async () => {
    await startOnce();
    await replaceByCopy();
    await expect(TestApp.start({ env })).rejects.toThrow(REFUSED);
    await adopt();
    await startOnce();
  });

  it('refuses tables that were made again in the same database', async () => {
    await startOnce();
    await onDatabase(
      'CREATE TABLE event_log_restored (LIKE event_log INCLUDING ALL)',
      'INSERT INTO event_log_restored SELECT * FROM event_log',
      'DROP TABLE event_log',
      'ALTER TABLE event_log_restored RENAME TO event_log',
    );
    await expect(TestApp.start({ env })).rejects.toThrow(REFUSED);
  });

  it('refuses an installation of an earlier version whose positions lie ahead', async () => {
    await onDatabase(`UPDATE event_readers SET xid = '999999999999'`);
    await expect(TestApp.start({ env })).rejects.toThrow(/positions that its transactions have not reached/);
  });

  it('goes on where nothing happened, and where the identity was not known yet', async () => {
    await startOnce();
    await onDatabase('UPDATE event_log SET database_identity = NULL');
    await startOnce();
    await startOnce();
  });
});

describe('the adoption', () => {
  it('is harmless on a healthy database, and when it is repeated: what follows comes after', async () => {
    await startOnce();
    const first = await adopt();
    const second = await adopt();
    expect(second.generation).not.toBe(first.generation);
    const app = await TestApp.start({ env });
    await write(app, 2);
    const { items } = await app.get(EventLog).page({ order: 'asc', limit: 10, types: ['custom'] });
    expect(items.map(({ payload }) => payload)).toEqual([{ n: 1 }, { n: 2 }]);
    await app.stop();
  });

  it('of two at once, one waits for the other', async () => {
    await startOnce();
    await onDatabase(`UPDATE event_readers SET xid = '5000000'`);
    const reports = await Promise.all([adopt(), adopt()]);
    expect(new Set(reports.map(({ generation }) => generation)).size).toBe(2);
    await startOnce();
  });

  it('is refused while a process is connected', async () => {
    const app = await TestApp.start({ env });
    await expect(adopt()).rejects.toThrow('Stop every process of Mortise first: mortise:');
    await app.stop();
  });
});

describe('under a living process', () => {
  it('the process ends with the line, and refuses to start again', async () => {
    const application = await ApplicationProcess.start(env);
    await replaceByCopy();
    await eventually('the process ends', () => application.hasEnded, NOTICED_WITHIN_MS);
    expect(application.exitCode).toBe(1);
    expect(application.output).toMatch(REFUSED);
    await expect(application.start()).rejects.toThrow(REFUSED);
  }, 150_000);

  it('health says so also when its connections survived, and nothing is written', async () => {
    const app = await TestApp.start({ env });
    await onDatabase('UPDATE event_log SET generation = gen_random_uuid()');
    const report = await eventually(
      'health is critical',
      async () => {
        const answer = await request<{ details: { postgres: { reason?: string } } }>(app.url, 'GET', '/api/health');
        return answer.status === 503 && answer;
      },
      NOTICED_WITHIN_MS,
    );
    expect(report.body.details.postgres.reason).toMatch(REFUSED);
    await app.stop();
  });

  it('a cursor beyond the end has expired: the log was set back, and nothing else shows it', async () => {
    const app = await TestApp.start({ env });
    await write(app, 1);
    const log = app.get(EventLog);
    const { items } = await log.page({ order: 'asc', limit: 10, types: ['custom'] });
    const cursor = items[0]?.cursor ?? '';
    const [generation = ''] = Buffer.from(cursor, 'base64url').toString().split('.');
    const ahead = Buffer.from(`${generation}.999999999999.7`).toString('base64url');
    await expect(log.page({ order: 'asc', limit: 10, after: ahead })).rejects.toThrow('earlier generation');
    expect((await log.page({ order: 'asc', limit: 10, after: cursor, types: ['custom'] })).items).toEqual([]);
    await app.stop();
  });
});

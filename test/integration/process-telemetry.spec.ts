/**
 * What one process tells its operator: its lines in the log, and its metrics, which Prometheus' own judge reads. Seen to fail: with
 * probes at level info, without the lines of start and end, with a metric that docs/operations.md does not name, and with the sums of
 * prom-client that end in `_total` and are no counters.
 */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { VERSION } from '../../src/config/build.js';
import { createAccount } from '../support/accounts.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { fromEnvironment } from '../support/environment.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createInstallation, type Installation, testEnvironment } from '../support/installation.js';
import { ApplicationProcess } from '../support/process.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

type Line = Readonly<Record<string, unknown>>;

let installation: Installation;
let database: FaultProxy;
let application: ApplicationProcess;
let sql: Sql;

beforeAll(async () => {
  installation = await createInstallation();
  sql = await Sql.open(installation.databaseUrl);
  await sql.rows(`INSERT INTO mails (id, sealed, created_at, next_attempt_at)
    VALUES (gen_random_uuid(), '', now() - interval '1 hour', now() + interval '1 hour')`);
  database = await FaultProxy.inFrontOf(installation.databaseUrl);
  const env = await testEnvironment(database.url, { LOG_LEVEL: 'debug', BUILD_COMMIT: '1f3c9a7' });
  application = await ApplicationProcess.start(env);
  const { id } = await registerDevice(application.url, await createAccount(application.url));
  await sql.rows(`UPDATE devices SET status = 'online'`);
  await sql.rows(`INSERT INTO device_links (device_id, kind, boot) VALUES ($1, 'mqtt', 'b')`, [id]);
}, 60_000);

afterAll(async () => {
  await application.kill();
  await Promise.all([sql.end(), database.close()]);
  await installation.remove();
});

const lines = (): Line[] =>
  application.output
    .split('\n')
    .filter((text) => text.startsWith('{'))
    .map((text) => JSON.parse(text) as Line);

const scrape = async (): Promise<string> => (await fetch(`${application.url}/metrics`)).text();
const seriesOf = (text: string, start: string): string[] => text.split('\n').filter((line) => line.startsWith(start));

/** The level of the last line about a request to a path. */
async function levelOf(path: string, headers: Record<string, string> = {}): Promise<unknown> {
  const { status } = await fetch(`${application.url}${path}`, { headers });
  const last = (): Line | undefined =>
    lines().findLast(({ route, msg }) => route === path && msg === 'Request answered');
  await eventually('the request is in the log', () => last()?.status === status);
  return [status, last()?.level];
}

describe('The log of a process', () => {
  it('has one line at the start: what runs here, as what, and where', async () => {
    const started = (): Line[] => lines().filter(({ msg }) => msg === 'Mortise has started');
    await eventually('it has started', () => started().length > 0);
    const { port, pathname, username, password } = new URL(database.url);
    expect(started()).toEqual([
      expect.objectContaining({
        level: 30,
        version: VERSION,
        commit: '1f3c9a7',
        node: process.version,
        roles: 'api,hardware,worker',
        http: `127.0.0.1:${String(application.port)}`,
        broker: `embedded, 127.0.0.1:${String(application.mqttPort)}`,
        database: `${pathname.slice(1)} at 127.0.0.1:${port} as ${username}`,
      }),
    ]);
    expect(application.output).not.toContain(password);
  });

  it('tells of probes and scrapes when debugging, and of those that fail as warnings', async () => {
    expect(await levelOf('/api/health')).toEqual([200, 20]);
    expect(await levelOf('/api/health/live')).toEqual([200, 20]);
    expect(await levelOf('/api/health/ready')).toEqual([200, 20]);
    expect(await levelOf('/metrics')).toEqual([200, 20]);
    expect(await levelOf('/metrics', { via: '1.1 proxy' })).toEqual([403, 40]);
    expect(await levelOf('/.well-known/jwks.json')).toEqual([200, 30]);
  });

  it('has no warning about a start on which all is well: whoever needs Redis waits for it', () => {
    const loud = lines().filter(({ level, route }) => Number(level) >= 40 && route === undefined);
    expect(loud).toEqual([]);
    expect(application.output).not.toContain("Stream isn't writeable");
  });
});

describe('The metrics', () => {
  it('pass the judgement of Prometheus', async () => {
    const { status, stdout, stderr } = spawnSync(fromEnvironment('TEST_PROMTOOL'), ['check', 'metrics'], {
      input: await scrape(),
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });

  it('have the names of docs/operations.md, and no others', async () => {
    const text = await readFile('docs/operations.md', 'utf8');
    const table = text.slice(text.indexOf('### All metrics'));
    const rows = [...table.matchAll(/^\| `(mortise_\w+)(?:\{[\w,]+\})?` +\| (\w+) +\| (.*?) +\|$/gm)];
    const documented = rows.map(([, name = '', type = '', help = '']) => `${name} ${type}: ${help}`);
    const metrics = await scrape();
    const helps = [...metrics.matchAll(/^# HELP (mortise_\w+) (.*?)\.?\n# TYPE \w+ (\w+)$/gm)];
    expect(helps.length).toBeGreaterThan(50);
    expect(documented.sort()).toEqual(
      helps.map(([, name = '', help = '', type = '']) => `${name} ${type}: ${help}`).sort(),
    );
    const there = new Set(helps.map(([, name]) => name));
    // Named elsewhere, such as in an alert: also without its labels.
    const named = [...text.matchAll(/mortise_[a-z_]*[a-z](?=[`{ [)])/g)].map(([name]) => name);
    expect(named.filter((name) => !there.has(name))).toEqual([]);
  });

  it('say what runs, what it depends on, and what waits', async () => {
    // The first sign of life over the broker takes a moment.
    const isHeard = async (): Promise<boolean> =>
      seriesOf(await scrape(), 'mortise_dependency_up').includes('mortise_dependency_up{dependency="mqtt"} 1');
    await eventually('the broker is up', isHeard);
    const text = await scrape();
    expect(seriesOf(text, 'mortise_build_info')).toEqual([
      `mortise_build_info{version="${VERSION}",commit="1f3c9a7",node="${process.version}"} 1`,
    ]);
    const up = ['postgres', 'redis', 'mqtt'].map((name) => `mortise_dependency_up{dependency="${name}"} 1`);
    expect(seriesOf(text, 'mortise_dependency_up')).toEqual(expect.arrayContaining(up));
    expect(seriesOf(text, 'mortise_mails_waiting')).toEqual(['mortise_mails_waiting 1']);
    const [oldest = ''] = seriesOf(text, 'mortise_mail_oldest_seconds');
    expect(Number(oldest.split(' ')[1])).toBeGreaterThanOrEqual(3_600);
    expect(seriesOf(text, 'mortise_devices{')).toContain('mortise_devices{status="online"} 1');
    expect(seriesOf(text, 'mortise_device_links')).toEqual([
      'mortise_device_links{kind="mqtt"} 1',
      'mortise_device_links{kind="websocket"} 0',
      'mortise_device_links{kind="http"} 0',
    ]);
    expect(seriesOf(text, 'mortise_queue_oldest_seconds').map((line) => line.split(' ')[0])).toEqual([
      'mortise_queue_oldest_seconds{queue="exports"}',
      'mortise_queue_oldest_seconds{queue="notifications"}',
      'mortise_queue_oldest_seconds{queue="webhooks"}',
      'mortise_queue_oldest_seconds{queue="mail"}',
      'mortise_queue_oldest_seconds{queue="maintenance"}',
    ]);
    expect(seriesOf(text, 'mortise_queue_jobs{queue="mail"')).toHaveLength(5);
    expect(seriesOf(text, 'mortise_database_connections_max')).toEqual(['mortise_database_connections_max 8']);
    expect(seriesOf(text, 'mortise_database_connections{')).toHaveLength(2);
  });

  it('are there while PostgreSQL is silent, and say so', async () => {
    database.blackhole();
    const isDown = async (): Promise<boolean> =>
      (await scrape()).includes('mortise_dependency_up{dependency="postgres"} 0');
    await eventually('the scrape says that PostgreSQL is away', isDown);
    const began = performance.now();
    const text = await scrape();
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(text).toContain('mortise_database_waiting');
    database.up();
  });
});

describe('The end of a process', () => {
  it('is one line, with its reason and how long it took', async () => {
    await application.stop();
    const ends = lines().filter(({ msg }) => String(msg).startsWith('Mortise has stopped'));
    expect(ends).toEqual([expect.objectContaining({ level: 30, reason: 'SIGTERM', tookMs: expect.any(Number) })]);
    expect(application.exitCode).toBe(0);
  });
});

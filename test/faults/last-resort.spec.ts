/**
 * What no code handles ends no process that others depend on, and nothing that the dependencies do leads there.
 * Seen to fail: with connections that had no listener for errors while they were in use (PostgreSQL cut during a health check
 * ended the process).
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAccount } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { scaled } from '../support/promise.js';
import { ApplicationProcess } from '../support/process.js';
import { eventually } from '../support/wait.js';

const ROUNDS = scaled(1, 3);

let installation: Installation;
let postgres: FaultProxy;
let redis: FaultProxy;
let application: ApplicationProcess;

beforeAll(async () => {
  installation = await createInstallation();
  postgres = await FaultProxy.inFrontOf(installation.databaseUrl);
  redis = await FaultProxy.inFrontOf(installation.env.REDIS_URL ?? '');
  application = await ApplicationProcess.start(
    { ...installation.env, DATABASE_URL: postgres.url, REDIS_URL: redis.url, LOG_LEVEL: 'error', DRAIN_DELAY: '20s' },
    join('..', 'test', 'faults', 'faulty-process.mjs'),
  );
}, 150_000);

afterAll(async () => {
  await application.kill();
  await Promise.all([postgres.close(), redis.close()]);
  await installation.remove();
});

async function metric(series: string): Promise<number> {
  const text = await (await fetch(`${application.url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(series))
      ?.slice(series.length),
  );
}

const isReady = async (): Promise<boolean> => (await fetch(`${application.url}/api/health/ready`)).ok;

describe('a process', () => {
  it('outlives PostgreSQL and Redis that go away while it checks them and connects dashboards, which are told why', async () => {
    const { accessToken: token } = await createAccount(application.url);
    for (let round = 0; round < ROUNDS; round += 1) {
      await eventually('it is ready', isReady, 40_000);
      // Slow enough that all of it is under way when the connections break.
      [postgres, redis].forEach((proxy) => {
        proxy.slow(400);
      });
      const dashboards = Array.from({ length: 6 }, () =>
        Dashboard.connect(application.url, { token, clientType: 'dashboard', lastCursor: null }).then(
          (dashboard) => dashboard.closed(),
          (refusal: unknown) => (refusal as { data?: { status?: number; retryAfter?: number } }).data,
        ),
      );
      const probes = fetch(`${application.url}/api/health`);
      await new Promise((resolve) => setTimeout(resolve, 100 + round * 120));
      [postgres, redis].forEach((proxy) => {
        proxy.down();
      });
      expect((await probes).status).toBeGreaterThan(0);
      const told = await Promise.all(dashboards);
      expect(new Set(told.map((problem) => problem?.status))).toEqual(new Set([503]));
      // Each is told another moment, so that they do not all come back at once.
      const moments = told.map((problem) => problem?.retryAfter ?? NaN);
      expect(moments.filter((moment) => moment >= 1 && moment <= 5)).toHaveLength(dashboards.length);
      expect(new Set(moments).size).toBeGreaterThan(dashboards.length / 2);
      [postgres, redis].forEach((proxy) => {
        proxy.up();
      });
    }
    await eventually('it is ready', isReady, 40_000);
    expect(application.hasEnded).toBe(false);
    expect(await metric('mortise_faults_total{kind="exception"} ')).toBe(0);
    expect(await metric('mortise_faults_total{kind="rejection"} ')).toBe(0);
  }, 150_000);

  it('outlives a rejection that no code handles, and counts it', async () => {
    application.signal('SIGUSR2');
    await eventually('it is counted', async () => (await metric('mortise_faults_total{kind="rejection"} ')) === 1);
    expect(await isReady()).toBe(true);
    expect(application.output).toContain('a planted rejection');
  }, 30_000);

  it('stops in order after an exception that no code catches, without delay, and says that it failed', async () => {
    application.signal('SIGHUP');
    // A stop that waits for something to the end of DRAIN_TIMEOUT (10 s) exits with 1 as well.
    await eventually('it is gone', () => application.hasEnded, 7_000);
    expect(application.exitCode).toBe(1);
    expect(application.output).toContain('a planted exception');
  }, 30_000);
});

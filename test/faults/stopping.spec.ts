/**
 * A process that is asked to stop says so to the balancer and goes on for a while, then it answers what is under way and is
 * gone, whatever connections its clients keep open.
 * Seen to fail: without the check for connections that fell idle after the process began to stop; with requests that wait
 * for a command released only after the server closed (they were reset, and the process ended with 1); without the delay; without
 * waiting for connections that were not accepted yet.
 */
import { Agent, request as httpRequest } from 'node:http';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAccount } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { registerDevice } from '../support/devices.fixture.js';
import { EventStreamClient } from '../support/event-stream-client.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { ApplicationProcess } from '../support/process.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

/** Much longer than a stop takes, each: who waits for them is found out. */
const DRAIN_DELAY_MS = 20_000;
const DRAIN_TIMEOUT_MS = 20_000;
const GONE_WITHIN_MS = 8_000;
const ME = '/api/v1/users/me';

let installation: Installation;
let application: ApplicationProcess;
let starting: ApplicationProcess;
let sql: Sql;

beforeAll(async () => {
  installation = await createInstallation({
    ROLES: 'api',
    DRAIN_DELAY: `${String(DRAIN_DELAY_MS)}ms`,
    DRAIN_TIMEOUT: `${String(DRAIN_TIMEOUT_MS)}ms`,
  });
  [application, starting] = await Promise.all([
    ApplicationProcess.start(installation.env),
    ApplicationProcess.start(
      { ...installation.env, ROLES: 'api,hardware' },
      join('..', 'test', 'faults', 'slow-start-process.mjs'),
    ),
  ]);
  sql = await Sql.open(installation.databaseUrl);
}, 60_000);

afterAll(async () => {
  await sql.end();
  await Promise.all([application.kill(), starting.kill()]);
  await installation.remove();
});

/** Not ready any more, and as good as before. */
async function drains(process: ApplicationProcess): Promise<boolean> {
  const ready = await fetch(`${process.url}/api/health/ready`);
  return ready.status === 503 && ((await ready.json()) as { status: string }).status === 'shutting_down';
}

/** One connection that the client does not close, and the status of a request over it. */
function ask(agent: Agent, method: string, path: string, headers: Record<string, string>, body = ''): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${application.url}${path}`, { agent, method, headers }, (answer) => {
      answer.resume().once('end', () => {
        resolve(answer.statusCode ?? 0);
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

describe('Stopping', () => {
  it('is seen by the balancer first, fails no request, and waits for no connection and for no command', async () => {
    const owner = await createAccount(application.url);
    const authorization = `Bearer ${owner.accessToken}`;
    const device = await registerDevice(application.url, owner);
    const dashboard = await Dashboard.connect(application.url, { token: owner.accessToken, clientType: 'dashboard' });
    const [idle, busy] = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })];
    expect(await ask(idle, 'GET', '/api/health/live', {})).toBe(200);
    expect(Object.values(idle.freeSockets).flat()).toHaveLength(1);

    const answer = ask(
      busy,
      'POST',
      `/api/v1/devices/${device.id}/commands`,
      { authorization, 'content-type': 'application/json', 'idempotency-key': randomUUID(), prefer: 'wait=30' },
      JSON.stringify({ name: 'lock_door' }),
    );
    await eventually('the request is under way', async () => (await sql.rows('SELECT 1 FROM commands')).length === 1);
    application.signal('SIGTERM');
    await eventually('it is not ready any more', () => drains(application));
    const served = await fetch(application.url + ME, { headers: { authorization } });
    expect([served.status, served.headers.get('connection')]).toEqual([200, 'close']);
    // Connections that last are kept, and new ones are told at once to come back, to another process.
    const [late, lateStream] = await Promise.all([
      Dashboard.connect(application.url, { token: owner.accessToken, clientType: 'dashboard' }),
      EventStreamClient.open(application.url, '', { token: owner.accessToken }),
    ]);
    expect(await late.closed()).toMatchObject({ code: 'shutting_down' });
    expect(late.closing?.retryAfter).toBeLessThanOrEqual(2);
    await lateStream.ended();
    expect([lateStream.status, lateStream.lastEventId]).toEqual([200, expect.stringMatching(/./)]);
    expect(lateStream.of('closing')).toMatchObject([{ code: 'shutting_down' }]);
    expect(dashboard.socket.connected).toBe(true);

    // Busy, it has not accepted these yet.
    application.signal('SIGSTOP');
    const crowd = new Agent();
    const waiting = Array.from({ length: 100 }, () => ask(crowd, 'GET', ME, { authorization }));
    await eventually('all have connected', () => {
      const sockets = Object.values(crowd.sockets).flatMap((each) => each ?? []);
      return sockets.length === waiting.length && sockets.every(({ connecting }) => !connecting);
    });
    // A second signal ends the delay.
    const cut = new Promise((resolve) => dashboard.socket.once('disconnect', resolve));
    application.signal('SIGTERM');
    application.signal('SIGCONT');
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => 200));
    expect(await answer).toBe(202);
    // A client connects again by itself after this reason, to another process.
    expect(await cut).toBe('transport close');
    await eventually('the process is gone', () => application.hasEnded, GONE_WITHIN_MS);
    expect(application.exitCode).toBe(0);
    [idle, busy].forEach((agent) => {
      agent.destroy();
    });
  }, 60_000);

  it('is as orderly while the process has not started in full', async () => {
    starting.signal('SIGTERM');
    await eventually('it is not ready any more', () => drains(starting));
    expect((await fetch(starting.url + ME)).status).toBe(401);
    starting.signal('SIGTERM');
    await eventually('the process is gone', () => starting.hasEnded, GONE_WITHIN_MS);
    expect(starting.exitCode).toBe(0);
  }, 30_000);
});

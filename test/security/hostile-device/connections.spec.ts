/**
 * What devices send holds at most half of the connections to PostgreSQL, however slow that is: also what is written in
 * batches of many messages. Seen to fail with batches outside of the quota: six of the eight connections waited.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HeartbeatBuffer } from '../../../src/features/presence/heartbeat-buffer.js';
import { insertAccount, type InsertedAccount } from '../../support/accounts.fixture.js';
import { registerDevice } from '../../support/devices.fixture.js';
import { request } from '../../support/rest.js';
import { ScriptedDevice } from '../../support/scripted-device.js';
import { Sql } from '../../support/sql.js';
import { TestApp } from '../../support/test-app.js';
import { eventually } from '../../support/wait.js';

const POOL = 8;

let application: TestApp;
let owner: InsertedAccount;
let sql: Sql;

beforeAll(async () => {
  application = await TestApp.start({ env: { DATABASE_POOL_SIZE: String(POOL) } });
  owner = await insertAccount(application);
  sql = await Sql.open(application.databaseUrl);
});

afterAll(async () => {
  await sql.end();
  await application.stop();
});

const waiting = async (): Promise<number> =>
  (
    await application.rows<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
  )[0]?.n ?? 0;

describe('Devices whose rows are locked', () => {
  it('wait on half of the connections, and people are answered', async () => {
    const boot = 'boot-of-a-wait';
    const lines = await Promise.all(
      Array.from({ length: POOL }, async () =>
        ScriptedDevice.connect(application.mqttUrl, await registerDevice(application.url, owner), {}, boot),
      ),
    );
    await sql.rows('BEGIN');
    await sql.rows('SELECT FROM devices FOR UPDATE');
    await Promise.all(
      lines.flatMap((line) => [
        line.publish('heartbeat', { boot, uptimeMs: 1 }),
        line.publish('events', { boot, seq: 1, type: 'custom', data: {} }),
        line.birth(),
      ]),
    );
    await eventually('they have their share', async () => (await waiting()) >= POOL / 2);
    let most = 0;
    const until = performance.now() + 1_000;
    while (performance.now() < until) {
      // Heartbeats are written together once a second: here as soon as they are there.
      void application.get(HeartbeatBuffer).flush();
      most = Math.max(most, await waiting());
    }
    const { status } = await request(application.url, 'GET', '/api/v1/users/me', { token: owner.accessToken });
    await sql.rows('ROLLBACK');
    expect([status, most]).toEqual([200, POOL / 2]);
    await Promise.all(lines.map((line) => line.birth()));
    await eventually('all are online', async () => {
      const [row] = await application.rows<{ n: number }>(
        `SELECT count(*)::int AS n FROM devices WHERE status = 'online'`,
      );
      return row?.n === POOL;
    });
    await Promise.all(lines.map((line) => line.end()));
  });
});

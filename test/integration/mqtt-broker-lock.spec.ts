/** Seen to fail: each attempt that PostgreSQL did not answer kept its place in the pool for good. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { PinoLogger } from 'nestjs-pino';
import { BrokerLock } from '../../src/platform/mqtt/broker-lock.js';
import { Database } from '../../src/platform/prisma/database.js';
import { startEventLog } from '../support/events.fixture.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';
import { Sql } from '../support/sql.js';
import type { TestApp } from '../support/test-app.js';

const POOL_SIZE = 4;

let database: TestDatabase;
let node: TestApp;
let lock: BrokerLock;

beforeAll(async () => {
  database = await createTestDatabase();
  // Found before the function of PostgreSQL.
  const sql = await Sql.open(database.url);
  await sql.rows(`ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET search_path = public, pg_catalog`);
  await sql.rows(`CREATE FUNCTION pg_try_advisory_lock(bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'planted'; END $$`);
  await sql.end();
  const env = { DATABASE_POOL_SIZE: String(POOL_SIZE) };
  node = await startEventLog({ databaseUrl: database.url, redisUrl: await emptyRedis(), env });
  lock = new BrokerLock(node.get(Database), await node.nest.resolve(PinoLogger));
});

afterAll(async () => {
  lock.release();
  await node.stop();
  await database.drop();
});

it('takes no place in the pool with it when it fails', async () => {
  for (let attempt = 0; attempt < 2 * POOL_SIZE; attempt += 1) {
    await expect(lock.acquire()).rejects.toThrow('planted');
  }
  await node.rows('DROP FUNCTION pg_try_advisory_lock(bigint)');
  await lock.acquire();
});

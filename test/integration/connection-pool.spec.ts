/** Seen to fail with every wait counted: a connection that was slow to come made the process refuse reads as if it were full. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConnectionPool } from '../../src/platform/prisma/connection-pool.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.js';
import { eventually } from '../support/wait.js';

let database: TestDatabase;
let proxy: FaultProxy;
let pool: ConnectionPool;

beforeAll(async () => {
  database = await createEmptyDatabase();
  proxy = await FaultProxy.inFrontOf(database.url);
  pool = new ConnectionPool({ connectionString: utcConnection(proxy.url), max: 2 });
});

afterAll(async () => {
  proxy.up();
  await pool.end();
  await proxy.close();
  await database.drop();
});

describe('a connection pool', () => {
  it('says how long is waited for connections in use, and not for one that is slow to come', async () => {
    const first = await pool.connect();
    proxy.slow(300);
    const coming = pool.connect();
    expect(pool.longestWaitMs).toBe(0);
    const second = await coming;
    const third = pool.connect();
    await eventually('it is waited for a connection in use', () => pool.longestWaitMs > 50);
    first.release();
    (await third).release();
    second.release();
    expect(pool.longestWaitMs).toBe(0);
  });
});

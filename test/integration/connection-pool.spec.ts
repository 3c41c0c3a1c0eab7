/** Connections to PostgreSQL: how long they are waited for, and who waits for what. Seen to fail without `keepWarm`, and with every wait counted: a connection that was slow to come made the process refuse reads as if it were full. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConnectionPool } from '../../src/platform/prisma/connection-pool.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import type { AppConfig } from '../../src/config/app-config.js';
import { DatabaseIdentityStore } from '../../src/platform/prisma/database-identity-store.js';
import { SnapshotReader } from '../../src/platform/prisma/snapshot-reader.js';
import { BusyError, Semaphore } from '../../src/platform/process/semaphore.js';
import { scaled } from '../support/promise.js';
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

  it('tells how long each connection was waited for, also one that was there', async () => {
    const waited: number[] = [];
    pool.onAcquired((waitedMs) => waited.push(waitedMs));
    await pool.query('SELECT 1');
    await pool.query('SELECT 1');
    expect(waited).toHaveLength(2);
    expect(Math.min(...waited)).toBeGreaterThanOrEqual(0);
  });
});

describe('a pool that is kept warm', () => {
  let warm: ConnectionPool;
  const open = async (): Promise<number> => {
    const { rows } = await pool.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM pg_stat_activity WHERE application_name = 'mortise:warm'`,
    );
    return rows[0]?.open ?? 0;
  };

  beforeAll(() => {
    warm = new ConnectionPool({
      connectionString: utcConnection(proxy.url),
      application_name: 'mortise:warm',
      min: 3,
      max: 5,
      idleTimeoutMillis: 10,
    });
  });

  it('has its connections before the first caller comes, which takes one of them', async () => {
    expect(warm.totalCount).toBe(0);
    warm.keepWarm();
    await eventually('they are there', () => warm.idleCount === 3);
    expect(await open()).toBe(3);
    const caller = await warm.connect();
    expect([warm.totalCount, warm.idleCount]).toEqual([3, 2]);
    caller.release();
  });

  it('closes those beyond it that are idle, and no others', async () => {
    const callers = await Promise.all(Array.from({ length: 5 }, () => warm.connect()));
    callers.forEach((caller) => {
      caller.release();
    });
    await eventually('three are left', async () => warm.totalCount === 3 && (await open()) === 3);
  });

  it('opens them again when one was lost, or all, and ends with its owner', async () => {
    const ended = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mortise:warm'`;
    for (const some of [' LIMIT 1', '']) {
      await pool.query(`${ended}${some}`);
      await eventually('some are lost', () => warm.totalCount < 3);
      await eventually('three are there again', async () => warm.idleCount === 3 && (await open()) === 3);
    }
    await warm.end();
    await eventually('none is left', async () => (await open()) === 0);
  });
});

describe('a reader of snapshots', () => {
  const OPTIONS = { holder: 'one', timeZone: 'UTC', timeoutMs: 60_000 };
  let readers: SnapshotReader[];

  beforeAll(() => {
    readers = [proxy.url, database.url].map((url) => {
      const config = { database: { url }, roles: ['worker'] } as unknown as AppConfig;
      return new SnapshotReader(config, new DatabaseIdentityStore());
    });
  });
  afterAll(() => Promise.all(readers.map((reader) => reader.onApplicationShutdown())));

  it('tells a turn that does not come from a server that is out of reach', async () => {
    const [reader] = readers as [SnapshotReader];
    const read = (): Promise<unknown> => reader.run(OPTIONS, (snapshot) => snapshot.query('SELECT 1'));
    proxy.down();
    const away = await Promise.allSettled(Array.from({ length: 4 }, read));
    expect(away.map((one) => one.status === 'rejected' && !(one.reason instanceof BusyError))).toEqual(
      Array(4).fill(true),
    );
    proxy.up();
    const { promise: done, resolve: finish } = Promise.withResolvers<undefined>();
    const reading = [1, 2].map(() => reader.run(OPTIONS, () => done));
    const waiting = Array.from({ length: 64 }, read);
    await expect(read()).rejects.toThrow(BusyError);
    finish(undefined);
    await Promise.all([...reading, ...waiting]);
    const impatient = new Semaphore({ concurrent: 1, waiting: 1, perHolder: 2, patienceMs: 10 });
    await impatient.run('one', () => expect(impatient.run('one', read)).rejects.toThrow(BusyError));
    await impatient.run('one', read);
  });

  it('is not cut off while it takes nothing for longer than other connections may', async () => {
    const pauseMs = scaled(0, 20_000);
    // The proxy would take for it.
    const size = await readers[1]!.run(OPTIONS, async (snapshot) => {
      const [limit] = await snapshot.query('SHOW tcp_user_timeout');
      expect(limit).toEqual({ tcp_user_timeout: '120000' });
      let bytes = 0;
      for await (const chunk of snapshot.copy(
        `SELECT repeat('x', 1000) FROM generate_series(1, 20000)`,
        'FORMAT csv',
      )) {
        if (bytes === 0) {
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
        }
        bytes += chunk.length;
      }
      return bytes;
    });
    expect(size).toBe(20_020_000);
  }, 60_000);
});

/**
 * Short reads over pipelined connections. Seen to fail: with reads that stay behind a slow one, with a connection that is waited for
 * although it is silent, without a second try after one was killed, and with writes let through.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/load-config.js';
import { newContext, runInContext } from '../../src/platform/context/request-context.js';
import { RequestDeadlineError } from '../../src/platform/context/request-deadline.js';
import { DatabaseIdentityStore } from '../../src/platform/prisma/database-identity-store.js';
import { Database } from '../../src/platform/prisma/database.js';
import { PipelinedReader } from '../../src/platform/prisma/pipelined-reader.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

const OURS = `datname = current_database() AND application_name LIKE 'mortise:reads:%'`;

let testDatabase: TestDatabase;
let sql: Sql;
let proxy: FaultProxy;
let database: Database;
const answeredBy = { pipeline: 0, pool: 0 };

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  sql = await Sql.open(testDatabase.url);
  proxy = await FaultProxy.inFrontOf(testDatabase.url);
  database = new Database(
    loadConfig({
      DATABASE_URL: proxy.url,
      REDIS_URL: 'redis://unused',
      MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
      DATABASE_POOL_SIZE: '4',
    }),
    new DatabaseIdentityStore(),
  );
  database.reader.onRead((by) => {
    answeredBy[by] += 1;
  });
  await pipelined();
});

afterAll(async () => {
  proxy.up();
  await database.onApplicationShutdown();
  await proxy.close();
  await sql.end();
  await testDatabase.drop();
});

const sessions = (): Promise<{ pid: number; client_port: number }[]> =>
  sql.rows(`SELECT pid, client_port FROM pg_stat_activity WHERE ${OURS}`);

const echo = async (value: number): Promise<unknown> =>
  (await database.queryHot<{ value: number }>('echo', 'SELECT $1::int AS value', [value]))[0]?.value;

const nap = (seconds: number): Promise<unknown> => database.queryHot('nap', 'SELECT pg_sleep($1::float8)', [seconds]);

/** Both connections are in use. */
async function pipelined(): Promise<void> {
  const ask = (): Promise<{ pid: number }[]> => database.queryHot('backend', 'SELECT pg_backend_pid() AS pid');
  await eventually('both pipelined connections answer', async () => {
    const { result, pipeline } = await countedDuring(() => Promise.all([ask(), ask()]));
    return pipeline === 2 && new Set(result.map(([row]) => row?.pid)).size === 2;
  });
}

/** What reads of `work` were answered by. */
async function countedDuring<T>(work: () => Promise<T>): Promise<{ result: T; pipeline: number; pool: number }> {
  const before = { ...answeredBy };
  const result = await work();
  return { result, pipeline: answeredBy.pipeline - before.pipeline, pool: answeredBy.pool - before.pool };
}

describe('short reads', () => {
  it('are answered many at a time over two connections, each with its own rows, and the rest by the pool', async () => {
    const values = Array.from({ length: 200 }, (_, value) => value);
    // Not all of them when this process is held up while it sends them.
    await eventually('two connections hold as many as they may', async () => {
      const { result, pipeline, pool } = await countedDuring(() => Promise.all(values.map(echo)));
      expect(result).toEqual(values);
      expect(pipeline).toBeLessThanOrEqual(128);
      return pipeline === 128 && pool === 72;
    });
    expect(await sessions()).toHaveLength(2);
  });

  it('fail alone', async () => {
    const failing = (value: number): Promise<unknown> =>
      value === 7 ? database.queryHot('broken', 'SELECT 1 / $1::int', [0]) : echo(value);
    await eventually('the others are answered over the same connections', async () => {
      const values = Array.from({ length: 20 }, (_, value) => value);
      const { result, pipeline, pool } = await countedDuring(() => Promise.allSettled(values.map(failing)));
      expect(result.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([7]);
      expect(result[7]).toMatchObject({ reason: { code: '22012' } });
      return pipeline === 19 && pool === 1;
    });
    expect(await sessions()).toHaveLength(2);
  });

  it('see what their transaction has written', async () => {
    const seen = await new Transactions(database).run(async () => {
      await database.query('plant', `SELECT set_config('mortise.planted', 'here', true)`);
      return database.queryHot('find', `SELECT current_setting('mortise.planted', true) AS planted`);
    });
    expect(seen).toEqual([{ planted: 'here' }]);
  });

  it('write nothing', async () => {
    await sql.rows('CREATE TABLE written (id int)');
    const statement = { name: 'write', text: 'INSERT INTO written VALUES (1)', values: [] };
    expect(await database.reader.read(statement)).toBeNull();
    expect(await sql.rows('SELECT id FROM written')).toEqual([]);
  });

  it('are not begun for a request whose time is over', async () => {
    const context = { ...newContext('http', 'system'), deadline: performance.now() - 1 };
    await expect(runInContext(context, () => echo(1))).rejects.toThrow(RequestDeadlineError);
  });

  it('do not wait for a slow one before them, which the pool answers when its time is over', async () => {
    const order: string[] = [];
    const { pool } = await countedDuring(async () => {
      const slow = [nap(2), nap(2)].map((one) => one.then(() => order.push('slow')));
      // Sent at once, before it could be known that those before them are slow.
      const quick = [1, 2].map((value) => echo(value).then(() => order.push('quick')));
      await Promise.all(quick);
      expect(await echo(3)).toBe(3);
      order.push('later');
      await Promise.all(slow);
    });
    expect(order).toEqual(['quick', 'quick', 'later', 'slow', 'slow']);
    expect(pool).toBeGreaterThanOrEqual(4);
  });
});

describe('pipelined connections', () => {
  it('lose no read when the server ends them, and come back', async () => {
    await pipelined();
    const { result } = await countedDuring(async () => {
      const underWay = Array.from({ length: 20 }, (_, value) =>
        database.queryHot<{ value: number }>('late', 'SELECT $1::int AS value, pg_sleep(0.02)', [value]),
      );
      await sql.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS}`);
      return Promise.all(underWay);
    });
    expect(result.map(([row]) => row?.value)).toEqual(Array.from({ length: 20 }, (_, value) => value));
    await pipelined();
  });

  it('are made anew where they keep a plan that the database has outgrown', async () => {
    await pipelined();
    const before = (await sessions()).map(({ pid }) => pid);
    await sql.rows('CREATE TABLE outgrown (a int)');
    const read = (): Promise<unknown> => database.queryHot('outgrown', 'SELECT * FROM outgrown');
    await eventually('both keep a plan', async () => {
      const { pipeline } = await countedDuring(() => Promise.all([read(), read()]));
      return pipeline === 2;
    });
    await sql.rows('ALTER TABLE outgrown ADD b int');
    await eventually('both are new', async () => {
      await Promise.allSettled([read(), read()]);
      const now = await sessions();
      return now.length === 2 && now.every(({ pid }) => !before.includes(pid));
    });
  });

  it('are given up when they are silent, and their reads are answered by the pool', async () => {
    await pipelined();
    const ports = (await sessions()).map(({ client_port: port }) => port);
    expect(proxy.silence(ports)).toBe(2);
    const values = Array.from({ length: 10 }, (_, value) => value);
    const { result, pipeline, pool } = await countedDuring(() => Promise.all(values.map(echo)));
    expect(result).toEqual(values);
    expect([pipeline, pool]).toEqual([0, 10]);
    await eventually('others answer', async () => {
      const before = answeredBy.pipeline;
      await echo(1);
      return answeredBy.pipeline > before;
    });
  });

  it('are given up, too, when they fall silent while they are made', async () => {
    proxy.silenceWithin('default_transaction_read_only');
    await sql.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS}`);
    await eventually('one fell silent', () => proxy.hasCut);
    await pipelined();
  });

  it('are of no use before what they are asked first is answered', async () => {
    const asked: string[] = [];
    const reader = new PipelinedReader({ connectionString: utcConnection(testDatabase.url) }, async (client) => {
      asked.push('first');
      await client.query('SELECT 1');
      throw new Error('a foreign database');
    });
    await eventually('it tried again', async () => {
      expect(await reader.read({ name: '', text: 'SELECT 1', values: [] })).toBeNull();
      return asked.length > 2;
    });
    await reader.end();
  });

  it('end with their owner, and are not made again', async () => {
    let made = 0;
    const ending = new PipelinedReader(
      { connectionString: utcConnection(testDatabase.url), application_name: 'mortise:ending' },
      () => {
        made += 1;
        return Promise.resolve();
      },
    );
    const statement = { name: '', text: 'SELECT 1', values: [] };
    await eventually('both answer', async () => (await ending.read(statement)) !== null && made === 2);
    await ending.end();
    expect(await ending.read(statement)).toBeNull();
    // Those of another one are lost later, and made again.
    await sql.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS}`);
    await eventually('they are lost', async () => (await sessions()).length === 0);
    await pipelined();
    expect(made).toBe(2);
    expect(await sql.rows(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'mortise:ending'`)).toEqual([]);
  });
});

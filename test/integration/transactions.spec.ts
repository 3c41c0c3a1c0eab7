import { AsyncResource } from 'node:async_hooks';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type AppConfig } from '../../src/config/app-config.js';
import { loadConfig } from '../../src/config/load-config.js';
import { newContext, runInContext } from '../../src/platform/context/request-context.js';
import { connectAs } from '../../src/platform/prisma/connection-quota.js';
import { DatabaseIdentityStore } from '../../src/platform/prisma/database-identity-store.js';
import { Database } from '../../src/platform/prisma/database.js';
import { isUniqueViolation } from '../../src/platform/prisma/prisma-errors.js';
import { outsideTransaction, Transactions } from '../../src/platform/prisma/transactions.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { eventually } from '../support/wait.js';

let testDatabase: TestDatabase;
let config: AppConfig;
let database: Database;
let transactions: Transactions;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  config = loadConfig({
    DATABASE_URL: testDatabase.url,
    REDIS_URL: 'redis://unused',
    MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    DATABASE_POOL_SIZE: '4',
  });
  database = new Database(config, new DatabaseIdentityStore());
  transactions = new Transactions(database);
});

afterAll(async () => {
  await database.onApplicationShutdown();
  await testDatabase.drop();
});

const user = (email: string): { email: string; displayName: string; passwordHash: string } => ({
  email,
  displayName: 'Ada',
  passwordHash: 'x',
});
const createByPrisma = (email: string): Promise<unknown> =>
  database.prisma((prisma) => prisma.user.create({ data: user(email), select: { id: true } }));
const createBySql = (email: string): Promise<unknown> =>
  database.query(
    'test_create_user',
    `INSERT INTO users (id, email, display_name, password_hash) VALUES (uuidv7(), $1, 'Ada', 'x')`,
    [email],
  );
const LAST_USER = `INSERT INTO users (id, email, display_name, password_hash)
  VALUES (uuidv7(), 'last@example.com', 'Ada', 'x')`;
/** A deadline that is one thing when it is first asked for, and another from then on. */
function endsAfterOneLook(first: number, later: number): PropertyDescriptor {
  let looks = 0;
  return { get: () => (looks++ === 0 ? first : later) };
}
const exists = async (email: string): Promise<boolean> => (await database.root.user.count({ where: { email } })) === 1;

describe('Connections', () => {
  it('are half for the messages of devices and a quarter for dispatch, in batches and queries of Prisma, too', async () => {
    const inMessage = <T>(work: () => T): T => runInContext(newContext('mqtt', 'device:d'), work);
    const held = Promise.withResolvers<undefined>();
    const started: string[] = [];
    const hold = (who: string) => () =>
      transactions.run(() => {
        started.push(who);
        return held.promise;
      });
    const holders = [
      ...[1, 2, 3].map(() => connectAs('dispatch', hold('dispatch'))),
      connectAs('line', hold('a batch')),
      ...[1, 2, 3].map(() => inMessage(hold('a message'))),
    ];
    await eventually('as many as may have begun', () => started.length >= 3);
    let answered = false;
    const asked = inMessage(() => database.prisma((prisma) => prisma.user.count())).then(() => {
      answered = true;
    });
    // People find a connection meanwhile.
    await createBySql('p1@example.com');
    await createBySql('p2@example.com');
    const seen = [[...started].sort(), answered];
    held.resolve(undefined);
    await Promise.all([...holders, asked]);
    expect(seen).toEqual([['a batch', 'a message', 'dispatch'], false]);
  });
});

describe('Transactions', () => {
  it('commits what Prisma and plain SQL did together', async () => {
    await transactions.run(async () => {
      await createByPrisma('a1@example.com');
      await createBySql('a2@example.com');
      expect(await exists('a1@example.com')).toBe(false);
      expect(await database.prisma((prisma) => prisma.user.count({ where: { email: 'a2@example.com' } }))).toBe(1);
    });
    expect(await exists('a1@example.com')).toBe(true);
    expect(await exists('a2@example.com')).toBe(true);
  });

  it('takes back what both did when the work throws', async () => {
    const work = transactions.run(async () => {
      await createByPrisma('b1@example.com');
      await createBySql('b2@example.com');
      throw new Error('changed my mind');
    });
    await expect(work).rejects.toThrow('changed my mind');
    expect(await exists('b1@example.com')).toBe(false);
    expect(await exists('b2@example.com')).toBe(false);
  });

  it('joins the transaction that is open', async () => {
    const work = transactions.run(async () => {
      await transactions.run(() => createBySql('c@example.com'));
      throw new Error('outer fails');
    });
    await expect(work).rejects.toThrow('outer fails');
    expect(await exists('c@example.com')).toBe(false);
  });

  it('keeps what was done independently, although the caller fails', async () => {
    const work = transactions.run(async () => {
      await transactions.independently(() => createBySql('d@example.com'));
      throw new Error('outer fails');
    });
    await expect(work).rejects.toThrow('outer fails');
    expect(await exists('d@example.com')).toBe(true);
  });

  it('fails with a statement that it did not wait for', async () => {
    const called: string[] = [];
    const work = transactions.run(async () => {
      transactions.afterCommit(() => called.push('committed'));
      await createBySql('k@example.com');
      await database.execute('test_broken', 'INSERT INTO users (id) VALUES (uuidv7())');
    });
    await expect(work).rejects.toMatchObject({ code: '23502' });
    expect(await exists('k@example.com')).toBe(false);
    expect(called).toEqual([]);
  });

  it('commits everything or nothing when the time of its request ends while it commits', async () => {
    const context = newContext('http', 'system');
    await runInContext(context, () =>
      transactions.run(async () => {
        await createBySql('n1@example.com');
        await database.executeLast('test_create_last', LAST_USER);
        // In time at the first look at it, and at no other.
        Object.defineProperty(context, 'deadline', endsAfterOneLook(Infinity, 0));
      }),
    );
    expect([await exists('n1@example.com'), await exists('last@example.com')]).toEqual([true, true]);
  });

  it('takes everything back when a statement that it did not wait for was never sent', async () => {
    const context = newContext('http', 'system');
    const work = runInContext(context, () =>
      transactions.run(async () => {
        await createBySql('o@example.com');
        Object.defineProperty(context, 'deadline', endsAfterOneLook(0, Infinity));
        await database.execute('test_unsent', 'SELECT 1');
      }),
    );
    await expect(work).rejects.toThrow('This took too long');
    expect(await exists('o@example.com')).toBe(false);
  });

  it('does not pretend to have committed when a failure was swallowed', async () => {
    const work = transactions.run(async () => {
      await createBySql('l@example.com');
      await createBySql('l@example.com').catch(() => undefined);
    });
    await expect(work).rejects.toThrow('rolled back');
    expect(await exists('l@example.com')).toBe(false);
  });

  it('survives the loss of its connection', async () => {
    const work = transactions.run(() => database.query('test_die', 'SELECT pg_terminate_backend(pg_backend_pid())'));
    await expect(work).rejects.toThrow();
    await transactions.run(() => createBySql('m@example.com'));
    expect(await exists('m@example.com')).toBe(true);
  });

  it('calls back after the commit, and only then', async () => {
    const called: string[] = [];
    await transactions.run(async () => {
      transactions.afterCommit(() => called.push('committed'));
      await createBySql('e@example.com');
      expect(called).toEqual([]);
    });
    expect(called).toEqual(['committed']);
    const failing = transactions.run(() => {
      transactions.afterCommit(() => called.push('never'));
      return Promise.reject(new Error('no'));
    });
    await expect(failing).rejects.toThrow('no');
    transactions.afterCommit(() => called.push('at once'));
    expect(called).toEqual(['committed', 'at once']);
  });

  it('lets work that is not the caller’s leave the transaction', async () => {
    const work = transactions.run(async () => {
      await outsideTransaction(() => createBySql('f@example.com'));
      throw new Error('outer fails');
    });
    await expect(work).rejects.toThrow('outer fails');
    expect(await exists('f@example.com')).toBe(true);
  });

  it('sends nothing on a connection whose transaction is over', async () => {
    let late: (() => Promise<unknown>) | undefined;
    await transactions.run(async () => {
      await createBySql('g1@example.com');
      const inContext = (): Promise<unknown> => createBySql('g2@example.com');
      late = AsyncResource.bind(inContext);
    });
    await expect(late?.()).rejects.toThrow('The transaction is over');
    expect(await exists('g2@example.com')).toBe(false);
  });

  it('keeps parallel transactions apart', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        transactions.run(async () => {
          await createBySql(`h${String(n)}@example.com`);
          await createByPrisma(`i${String(n)}@example.com`);
          if (n % 2 === 1) {
            throw new Error('odd');
          }
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    for (let n = 0; n < 20; n += 1) {
      expect(await exists(`h${String(n)}@example.com`)).toBe(n % 2 === 0);
      expect(await exists(`i${String(n)}@example.com`)).toBe(n % 2 === 0);
    }
  });

  it('recognises a violated unique constraint through Prisma and through SQL', async () => {
    await createBySql('j@example.com');
    const outcomes = await Promise.allSettled([createBySql('j@example.com'), createByPrisma('j@example.com')]);
    for (const outcome of outcomes) {
      expect(outcome.status).toBe('rejected');
      expect(outcome.status === 'rejected' && isUniqueViolation(outcome.reason, 'email')).toBe(true);
      expect(outcome.status === 'rejected' && isUniqueViolation(outcome.reason, 'username')).toBe(false);
    }
    expect(isUniqueViolation(new Error('other'))).toBe(false);
    expect(isUniqueViolation('text')).toBe(false);
  });
});

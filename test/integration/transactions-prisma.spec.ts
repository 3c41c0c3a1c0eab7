/** How Prisma Client takes part in a transaction that is open. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import { loadConfig } from '../../src/config/load-config.js';
import { PrismaClient } from '../../src/generated/prisma/client.js';
import { DatabaseIdentityStore } from '../../src/platform/prisma/database-identity-store.js';
import { Database } from '../../src/platform/prisma/database.js';
import { isUniqueViolation } from '../../src/platform/prisma/prisma-errors.js';
import { outsideTransaction, Transactions } from '../../src/platform/prisma/transactions.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';

let testDatabase: TestDatabase;
let database: Database;
let transactions: Transactions;
/** Every statement that left on any connection, in order. */
const sent: string[] = [];

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = new Database(
    loadConfig({
      DATABASE_URL: testDatabase.url,
      REDIS_URL: 'redis://unused',
      MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
      DATABASE_POOL_SIZE: '4',
    }),
    new DatabaseIdentityStore(),
  );
  database.pool.on('connect', noteStatements);
  transactions = new Transactions(database);
});

afterAll(async () => {
  await database.onApplicationShutdown();
  await testDatabase.drop();
});

function noteStatements(client: pg.PoolClient): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  client.query = ((...args: unknown[]) => {
    const [statement] = args as [string | pg.QueryConfig];
    sent.push(typeof statement === 'string' ? statement : statement.text);
    return query(...args);
  }) as typeof client.query;
}

const newUser = (): { email: string; displayName: string } => ({
  email: `${randomUUID()}@example.com`,
  displayName: 'Ada',
});
const createUser = (data = newUser()): Promise<{ id: string }> =>
  database.prisma((prisma) => prisma.user.create({ data, select: { id: true } }));
const findUser = (id: string): Promise<{ id: string } | null> =>
  database.prisma((prisma) => prisma.user.findUnique({ where: { id }, select: { id: true } }));
const createOrganization = (name: string, userId: string): Promise<{ id: string }> =>
  database.prisma((prisma) =>
    prisma.organization.create({
      data: { name, memberships: { create: { userId, role: 'OWNER' } } },
      select: { id: true },
    }),
  );
const keywords = (): string[] => sent.map((text) => text.split(/\s/)[0]!.toUpperCase());
const countOrganizations = (name: string): Promise<number> => database.root.organization.count({ where: { name } });

describe('Prisma Client in an open transaction', () => {
  it('begins and ends no transaction of its own, not even for nested writes', async () => {
    const { id } = await createUser();
    sent.length = 0;
    await transactions.run(() => createOrganization('Bakery', id));
    expect(keywords().filter((word) => ['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT'].includes(word))).toEqual([
      'BEGIN',
      'COMMIT',
    ]);
    expect(keywords().filter((word) => word === 'INSERT')).toHaveLength(2);
    expect([keywords()[0], keywords().at(-1)]).toEqual(['BEGIN', 'COMMIT']);
    expect(await countOrganizations('Bakery')).toBe(1);
  });

  it('sees what SQL wrote, and is rolled back with it', async () => {
    const { id } = await createUser();
    sent.length = 0;
    const work = transactions.run(async () => {
      await database.query('test_rename', `UPDATE users SET display_name = 'Grace' WHERE id = $1`, [id]);
      const seen = await database.prisma((prisma) =>
        prisma.user.findUnique({ where: { id }, select: { displayName: true } }),
      );
      expect(seen).toEqual({ displayName: 'Grace' });
      await createOrganization('Mill', id);
      throw new Error('changed my mind');
    });
    await expect(work).rejects.toThrow('changed my mind');
    expect(keywords().filter((word) => ['BEGIN', 'COMMIT', 'ROLLBACK'].includes(word))).toEqual(['BEGIN', 'ROLLBACK']);
    expect(await countOrganizations('Mill')).toBe(0);
  });

  it('reports a violated constraint as it does outside, and nothing stands', async () => {
    const user = newUser();
    await createUser(user);
    const { id } = await createUser();
    const work = transactions.run(async () => {
      await createOrganization('Forge', id);
      await createUser(user);
    });
    const error: unknown = await work.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'P2002' });
    expect(isUniqueViolation(error, 'email')).toBe(true);
    expect(isUniqueViolation(error, 'username')).toBe(false);
    expect(await countOrganizations('Forge')).toBe(0);
  });

  it('is refused when the transaction is over, first asked for or not', async () => {
    let late: (() => Promise<unknown>)[] = [];
    await transactions.run(async () => {
      const { id } = await createUser();
      const again = AsyncLocalStorage.snapshot();
      late = [() => again(() => findUser(id))];
    });
    await transactions.run(async () => {
      await database.query('test_one', 'SELECT 1');
      const first = AsyncLocalStorage.snapshot();
      late.push(() => first(() => createUser()));
    });
    for (const call of late) {
      await expect(call()).rejects.toThrow(/transaction/i);
    }
  });

  it('leaves transactions that Prisma begins itself alone', async () => {
    const { id } = await createUser();
    const work = transactions.run(async () => {
      await createOrganization('Dairy', id);
      await database.root.$transaction(async (prisma) => {
        await prisma.organization.create({ data: { name: 'Quarry' }, select: { id: true } });
      });
      throw new Error('changed my mind');
    });
    await expect(work).rejects.toThrow('changed my mind');
    expect(await countOrganizations('Dairy')).toBe(0);
    expect(await countOrganizations('Quarry')).toBe(1);
  });

  /**
   * Why a transaction is joined by its interactive client, and not by an adapter that looks at the async context of each
   * statement: Prisma makes one statement of the `findUnique` calls of one turn, in the context of only one of them.
   */
  it('is not told apart by async context, because findUnique calls of one turn become one statement', async () => {
    const caller = new AsyncLocalStorage<string>();
    const askedBy: (string | undefined)[] = [];
    class ObservedPg extends PrismaPg {
      override async connect(): ReturnType<PrismaPg['connect']> {
        const adapter = await super.connect();
        const queryRaw = adapter.queryRaw.bind(adapter);
        adapter.queryRaw = (query) => {
          askedBy.push(caller.getStore());
          return queryRaw(query);
        };
        return adapter;
      }
    }
    const prisma = new PrismaClient({ adapter: new ObservedPg(database.pool) });
    const users = [await createUser(), await createUser()];
    const found = await Promise.all(
      users.map(({ id }, index) =>
        caller.run(`caller ${String(index)}`, async () =>
          prisma.user.findUnique({ where: { id }, select: { id: true } }),
        ),
      ),
    );
    await prisma.$disconnect();
    expect(found).toEqual(users);
    expect(askedBy).toHaveLength(1);
  });

  it('keeps a read outside apart from one inside in the same turn', async () => {
    const existing = await createUser();
    await transactions.run(async () => {
      const uncommitted = await createUser();
      const reads = [uncommitted, existing].flatMap(({ id }) => [findUser(id), outsideTransaction(() => findUser(id))]);
      expect(await Promise.all(reads)).toEqual([uncommitted, null, existing, existing]);
    });
  });
});

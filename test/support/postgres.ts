import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { fromEnvironment, ofThisWorker } from './environment.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A migrated database of its own, copied from the template in a few milliseconds. Drop it in `afterAll`. */
export function createTestDatabase(): Promise<TestDatabase> {
  return create(`TEMPLATE ${fromEnvironment('TEST_DATABASE_TEMPLATE')}`);
}

/** A database without a single table. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return create('');
}

async function create(template: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await execute(`CREATE DATABASE ${name} ${template}`);
  const url = new URL(ofThisWorker('TEST_DATABASE_URL'));
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => execute(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function execute(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: utcConnection(ofThisWorker('TEST_DATABASE_URL')) });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

import pg from 'pg';
import { DATABASE, type Services } from './services.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';

/** Runs one statement in the database that ours and its baselines share: to prepare what is measured, and to check it. */
export async function sql<Row extends pg.QueryResultRow>(
  { databaseUrl }: Services,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: utcConnection(databaseUrl(DATABASE)) });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

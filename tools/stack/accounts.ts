import pg from 'pg';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';

/** Who can sign in: how many accounts there are, and what makes the first administrator where there is none. */
export async function describeAccounts(databaseUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: utcConnection(databaseUrl) });
  await client.connect();
  try {
    const { rows } = await client.query<{ accounts: number; admins: number }>(
      `SELECT count(*)::int AS accounts, (count(*) FILTER (WHERE role = 'ADMIN'))::int AS admins
       FROM users WHERE deleted_at IS NULL`,
    );
    const { accounts = 0, admins = 0 } = rows[0] ?? {};
    const known = accounts === 0 ? 'none yet' : `${String(accounts)}, of which ${String(admins)} may administer`;
    return admins > 0 ? known : `${known}; \`npm run admin:create\` makes the first admin`;
  } finally {
    await client.end();
  }
}

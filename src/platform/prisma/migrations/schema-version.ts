import pg from 'pg';
import { databaseName } from './database-name.js';
import { UnfitDatabaseError } from './migration.errors.js';

/** What the migrations and the statements of this code need. */
const OLDEST_POSTGRES = 16;
const UNDEFINED_TABLE = '42P01';
const HOW_TO_MIGRATE = 'run `npm run db:migrate` (in the image: `node dist/src/migrate.js`)';
const NAMED = 3;

// SQL: settings of the server
const SERVER_VERSION = `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS name`;

/** Migrations that are done. Prisma's engine keeps the table. */
// SQL: a table that Prisma's schema does not describe
const APPLIED = `
  SELECT migration_name AS name FROM _prisma_migrations
  WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name`;

/** @throws UnfitDatabaseError */
export async function assertServerVersion(client: Pick<pg.ClientBase, 'query'>): Promise<void> {
  const { rows } = await client.query<{ number: number; name: string }>(SERVER_VERSION);
  const [{ number, name } = { number: 0, name: 'of an unknown version' }] = rows;
  if (number < OLDEST_POSTGRES * 10_000) {
    throw new UnfitDatabaseError(
      `PostgreSQL ${name} is too old: Mortise needs PostgreSQL ${String(OLDEST_POSTGRES)} or newer. ` +
        'Upgrade the server, or set DATABASE_URL to another one.',
    );
  }
}

/** The names of the migrations that a database has; none where it was never migrated. */
export async function readApplied(client: Pick<pg.ClientBase, 'query'>): Promise<readonly string[]> {
  try {
    return (await client.query<{ name: string }>(APPLIED)).rows.map(({ name }) => name);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === UNDEFINED_TABLE) {
      return [];
    }
    throw error;
  }
}

/** Why code that knows the migrations `known` should not run on a database that has `applied`; undefined where it may. */
export function differenceOf(
  known: readonly string[],
  applied: readonly string[],
  databaseUrl: string,
): { readonly isNewer: boolean; readonly message: string } | undefined {
  const missing = known.filter((name) => !applied.includes(name));
  const unknown = applied.filter((name) => !known.includes(name));
  const database = `The database ${databaseName(databaseUrl)}`;
  if (missing.length === known.length) {
    return { isNewer: false, message: `${database} is not migrated: ${HOW_TO_MIGRATE}.` };
  }
  if (missing.length > 0) {
    return {
      isNewer: false,
      message: `${database} is older than this code, it lacks ${some(missing)}: ${HOW_TO_MIGRATE}.`,
    };
  }
  return unknown.length === 0
    ? undefined
    : {
        isNewer: true,
        message:
          `${database} is newer than this code, it has ${some(unknown)}: start the release that migrated it. ` +
          'The one before it runs on it as well, with ALLOW_NEWER_DATABASE=1 (docs/operations.md, "Releases").',
      };
}

function some(names: readonly string[]): string {
  const more = names.length - NAMED;
  return [...names.slice(0, NAMED), ...(more > 0 ? [`${String(more)} more`] : [])].join(', ');
}

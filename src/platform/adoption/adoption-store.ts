import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { within } from '../../shared/deadline.js';
import { ConnectionPool, type PoolClient } from '../prisma/connection-pool.js';
import { Database } from '../prisma/database.js';
import { DATABASE_IDENTITY, LAST_POSITION } from '../prisma/database-identity-store.js';
import { limitSession } from '../prisma/session-limits.js';
import { runInTransaction, TransactionContext } from '../prisma/transaction-context.js';
import { utcConnection } from '../prisma/utc-connection.js';
import { DatabaseInUseError } from './adoption.errors.js';

/** Ids that may have been given since the backup, and are not given again to other rows: clients know events by their ids. */
const IDS_SKIPPED = 1_000_000_000;
/** Ids and positions of the log are in nearly the same order: the highest id is among the last of these. */
const LAST_EVENTS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A limit only for an adoption that will never end: hundreds of thousands of rows take seconds. */
const LONGEST_MS = 86_400_000;
/** A connection that does not answer ROLLBACK in this time is closed. */
const ROLLBACK_WITHIN_MS = 2_000;
/** What PostgreSQL shows of an adoption, so that another one waits for it. */
const CONNECTION_NAME = 'mortise-adoption';

/** Instead of those of the session and of the role: only another adoption is waited for. */
const LIFT_LIMITS = `SELECT set_config(name, value, true)
  FROM (VALUES ('statement_timeout', '0'), ('transaction_timeout', '0'), ('lock_timeout', '10min')) AS wanted (name, value)
  JOIN pg_settings USING (name)`;

/** Everything stays out until the end of the transaction: a process that starts asks this table first. */
const EXCLUDE = 'LOCK TABLE event_log IN ACCESS EXCLUSIVE MODE';

/**
 * Connections of clients, whatever they call themselves: the URL of the database may name them. The kind is hidden of those of
 * other roles.
 */
const CONNECTED = `SELECT concat_ws(' ', nullif(application_name, ''), '(pid ' || pid || ')') AS client FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
    AND coalesce(backend_type, 'client backend') = 'client backend' AND application_name <> '${CONNECTION_NAME}'
  ORDER BY application_name, pid LIMIT 20`;

const POSITIONS = `SELECT ${LAST_POSITION}::text AS last, event_log_position('0'::xid8)::text AS added,
  pg_snapshot_xmin(pg_current_snapshot())::text AS horizon`;

/** A database whose tables were filled by hand may have lost the row. No cursor of the new generation is of before a drop. */
const RENEW = `INSERT INTO event_log AS l (generation, adopted_at) VALUES (gen_random_uuid(), now())
  ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, adopted_at = excluded.adopted_at,
    dropped_xid = excluded.dropped_xid, dropped_id = excluded.dropped_id
  RETURNING generation`;
const IDENTIFY = `UPDATE event_log l SET database_identity = ${DATABASE_IDENTITY}`;

const RAISE_EVENT_IDS = `SELECT setval('events_id_seq', ${String(IDS_SKIPPED)} + greatest((SELECT last_value FROM events_id_seq),
  (SELECT max(id) FROM (SELECT id FROM events ORDER BY xid DESC, id DESC LIMIT ${String(LAST_EVENTS)}) AS newest)))`;
const RAISE_AUDIT_IDS = `SELECT setval('audit_entries_id_seq', ${String(IDS_SKIPPED)} +
  greatest((SELECT last_value FROM audit_entries_id_seq), (SELECT max(id) FROM audit_entries)))`;

/** The relay of the live feed is a reader that always exists. */
const READERS = `INSERT INTO event_readers (name) VALUES ('live_feed') ON CONFLICT DO NOTHING`;
/** Leases of processes that are gone. */
const FREE_LEASES = 'UPDATE event_readers SET holder = NULL, lease_until = NULL, fence = fence + 1';

/** What an adoption changes in the log itself. */
@Injectable()
export class AdoptionStore {
  constructor(
    private readonly config: AppConfig,
    private readonly database: Database,
  ) {}

  /**
   * Runs `work` in one transaction on a connection of its own, which has no limits of time and is not asked whether this is the
   * database of its log. It is not for the network: nothing happens after the commit.
   */
  async inTransaction<T>(work: () => Promise<T>): Promise<T> {
    const pool = new ConnectionPool({
      connectionString: utcConnection(this.config.database.url),
      max: 1,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: CONNECTION_NAME,
      // As TransactionContext wants it.
      pipeline: true,
      onConnect: limitSession,
    });
    try {
      return await within(LONGEST_MS, runOn(await pool.connect(), work));
    } finally {
      await pool.end();
    }
  }

  /**
   * Keeps every process out until the end of the transaction.
   * @throws DatabaseInUseError when other clients are connected
   */
  async excludeProcesses(): Promise<void> {
    // SQL: something Prisma cannot say: settings of the transaction
    await this.database.query('adoption_limits', LIFT_LIMITS);
    // Who holds the log for long is named instead of waited for; and who came while it was waited for, too.
    await this.assertAlone();
    // SQL: a lock
    await this.database.query('adoption_exclude', EXCLUDE);
    await this.assertAlone();
  }

  /**
   * Lets the positions of this cluster's transactions begin behind every stored one. They are never lowered: what was written
   * meanwhile keeps its place.
   * @returns what is added to transaction ids from now on
   */
  async rebasePositions(): Promise<bigint> {
    // SQL: something Prisma cannot say: xid8
    const [row] = await this.database.query<Record<'last' | 'added' | 'horizon', string>>(
      'adoption_positions',
      POSITIONS,
    );
    const [last, added, horizon] = [BigInt(row?.last ?? 0), BigInt(row?.added ?? 0), BigInt(row?.horizon ?? 0)];
    const needed = last + 1n - horizon;
    if (needed <= added) {
      return added;
    }
    // SQL: something Prisma cannot say: a function
    await this.database.query(
      'adoption_rebase',
      `CREATE OR REPLACE FUNCTION event_log_position(xid8) RETURNS xid8 LANGUAGE sql STABLE PARALLEL SAFE
       AS 'SELECT (($1::text)::bigint + ${String(needed)})::text::xid8'`,
    );
    return needed;
  }

  /** A new generation, at home in this database: every cursor and every feed of the earlier one is over. */
  async renewLog(): Promise<string> {
    // SQL: something Prisma cannot say: an upsert of a default
    const [row] = await this.database.query<{ generation: string }>('adoption_renew', RENEW);
    // SQL: something Prisma cannot say: tableoid
    await this.database.query('adoption_identify', IDENTIFY);
    // SQL: a set-based batch
    await this.database.query('adoption_readers', READERS);
    // SQL: a set-based batch
    await this.database.query('adoption_leases', FREE_LEASES);
    return row?.generation ?? '';
  }

  /** Sequences are not part of a dump by COPY. */
  async raiseIds(): Promise<void> {
    // SQL: something Prisma cannot say: a sequence
    await this.database.query('adoption_event_ids', RAISE_EVENT_IDS);
    // SQL: something Prisma cannot say: a sequence
    await this.database.query('adoption_audit_ids', RAISE_AUDIT_IDS);
  }

  private async assertAlone(): Promise<void> {
    // SQL: something Prisma cannot say: the server's activity
    const rows = await this.database.query<{ client: string }>('adoption_connected', CONNECTED);
    if (rows.length > 0) {
      throw new DatabaseInUseError(rows.map(({ client }) => client));
    }
  }
}

async function runOn<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  const context = new TransactionContext(client);
  try {
    return await runInTransaction(context, async () => {
      const result = await work();
      await context.commit();
      return result;
    });
  } catch (error) {
    await within(ROLLBACK_WITHIN_MS, context.rollback()).catch(() => undefined);
    throw error;
  } finally {
    client.release(true);
  }
}

import { Injectable } from '@nestjs/common';
import { Database } from '../prisma/database.js';
import { DATABASE_IDENTITY, LAST_POSITION } from '../prisma/database-identity-store.js';

/** Ids that were given after the backup are not given again, to other rows: clients know events by their ids. */
const ID_LEAP = 1_000_000_000;
/** Ids and positions of the log are in nearly the same order: the highest id is among the last of these. */
const LAST_EVENTS = 10_000;

/** Everything stays out until the end of the transaction: a process that starts asks this table first. */
const EXCLUDE = 'LOCK TABLE event_log IN ACCESS EXCLUSIVE MODE';

const CONNECTED = `SELECT DISTINCT application_name AS name FROM pg_stat_activity
  WHERE datname = current_database() AND application_name LIKE 'mortise:%' AND pid <> pg_backend_pid() ORDER BY name`;

const POSITIONS = `SELECT ${LAST_POSITION}::text AS last, event_log_position('0'::xid8)::text AS added,
  pg_snapshot_xmin(pg_current_snapshot())::text AS horizon`;

/** A database whose tables were filled by hand may have lost the row. */
const RENEW = `INSERT INTO event_log AS l (generation, adopted_at) VALUES (gen_random_uuid(), now())
  ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, adopted_at = excluded.adopted_at
  RETURNING generation`;
const IDENTIFY = `UPDATE event_log l SET database_identity = ${DATABASE_IDENTITY}`;

const RAISE_EVENT_IDS = `SELECT setval('events_id_seq', ${String(ID_LEAP)} + greatest((SELECT last_value FROM events_id_seq),
  (SELECT max(id) FROM (SELECT id FROM events ORDER BY xid DESC, id DESC LIMIT ${String(LAST_EVENTS)}) AS newest)))`;
const RAISE_AUDIT_IDS = `SELECT setval('audit_entries_id_seq', ${String(ID_LEAP)} +
  greatest((SELECT last_value FROM audit_entries_id_seq), (SELECT max(id) FROM audit_entries)))`;

/** The relay of the live feed is a reader that always exists. */
const READERS = `INSERT INTO event_readers (name) VALUES ('live_feed') ON CONFLICT DO NOTHING`;
/** Leases of processes that are gone. */
const FREE_LEASES = 'UPDATE event_readers SET holder = NULL, lease_until = NULL, fence = fence + 1';

/** What an adoption changes in the log itself. */
@Injectable()
export class AdoptionStore {
  constructor(private readonly database: Database) {}

  /** Before anything else: another adoption waits for this one, and does not take it for the application. */
  nameConnections(): void {
    this.database.nameConnections('mortise-adoption');
  }

  async excludeProcesses(): Promise<void> {
    // SQL: a lock
    await this.database.query('adoption_patience', `SET LOCAL lock_timeout = '10s'`);
    // SQL: a lock
    await this.database.query('adoption_exclude', EXCLUDE);
  }

  /** Names of the processes of the application that are connected. */
  async listConnected(): Promise<string[]> {
    // SQL: something Prisma cannot say: the server's activity
    const rows = await this.database.query<{ name: string }>('adoption_connected', CONNECTED);
    return rows.map(({ name }) => name);
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
}

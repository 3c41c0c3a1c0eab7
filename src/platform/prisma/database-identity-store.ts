import { Injectable } from '@nestjs/common';
import pg from 'pg';
import { ClusterUnknownError, ForeignDatabaseError } from './database-identity.errors.js';

/**
 * Where the log of `event_log l` is now: another cluster has another system identifier; another database of the same
 * cluster, or one whose tables were made again, has other object ids.
 */
export const DATABASE_IDENTITY = `concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
  (SELECT oid FROM pg_database WHERE datname = current_database()), l.tableoid)`;

/** The highest position that is stored anywhere; a transaction of this log always has a higher one. */
export const LAST_POSITION = `greatest((SELECT xid FROM events ORDER BY xid DESC, id DESC LIMIT 1),
  (SELECT xid FROM audit_entries ORDER BY xid DESC, id DESC LIMIT 1),
  (SELECT xid FROM event_readers ORDER BY xid DESC LIMIT 1), '0'::xid8)`;

const READ = `SELECT l.generation, l.adopted_at AS "adoptedAt", l.database_identity AS recorded,
    ${DATABASE_IDENTITY} AS actual
  FROM event_log l`;

const IS_BEHIND = `SELECT ${LAST_POSITION} >= event_log_position(pg_snapshot_xmax(pg_current_snapshot())) AS "isBehind"`;

/**
 * Whether what an earlier version wrote, which recorded no identity, was written here: the transaction that wrote a row is the
 * one that its position names. A restore writes them all in transactions of its own, which come after every position.
 */
const IS_COPIED = `SELECT count(*) > 0 AND bool_and(newest.xmin::text <> newest.id) AS "isCopied" FROM (
    (SELECT xmin, (xid::text::numeric % 4294967296)::text AS id FROM events ORDER BY xid DESC, events.id DESC LIMIT 1000)
    UNION ALL
    (SELECT xmin, (xid::text::numeric % 4294967296)::text FROM audit_entries ORDER BY xid DESC, audit_entries.id DESC LIMIT 1000)
  ) AS newest`;

/** The first process of an installation says where its log is. */
const CLAIM = `UPDATE event_log l SET database_identity = ${DATABASE_IDENTITY} WHERE l.database_identity IS NULL`;

const UNDEFINED_TABLE = '42P01';
const UNDEFINED_COLUMN = '42703';
const INSUFFICIENT_PRIVILEGE = '42501';

interface IdentityRow {
  generation: string;
  adoptedAt: Date | null;
  recorded: string | null;
  actual: string;
}

/** What is known of the log of the database in use. */
export interface KnownLog {
  readonly generation: string;
  /** When it was last adopted after a restore; null: never. */
  readonly adoptedAt: Date | null;
}

type ForeignListener = (error: ForeignDatabaseError) => void;

/**
 * Knows whether this is the database that its event log was written in. Every new connection is asked before any work is
 * sent on it, and the health check asks again: a database that was restored or swapped under a living process is
 * noticed before anything is read from it or written to it, or a moment later when its connections survived.
 */
@Injectable()
export class DatabaseIdentityStore {
  readonly #listeners = new Set<ForeignListener>();
  #log: KnownLog | undefined;
  #foreign: ForeignDatabaseError | undefined;

  /** When the log was last adopted; null when never, and before the first connection. */
  get adoptedAt(): Date | null {
    return this.#log?.adoptedAt ?? null;
  }

  /** Calls `listener` once the database turns out to be a foreign one; at once, when it has already. */
  onForeign(listener: ForeignListener): void {
    this.#listeners.add(listener);
    if (this.#foreign) {
      listener(this.#foreign);
    }
  }

  /**
   * @throws ForeignDatabaseError when this is not the database of its log, or was not at an earlier time: a process that saw
   *   a foreign one holds what belongs to the other
   * @throws ClusterUnknownError
   */
  async verify(client: pg.ClientBase): Promise<void> {
    if (this.#foreign) {
      throw this.#foreign;
    }
    const row = await readIdentity(client);
    if (!row) {
      return;
    }
    const reason = (this.#log ? undefined : await claim(client, row)) ?? difference(row, this.#log);
    if (reason !== undefined) {
      this.refuse(new ForeignDatabaseError(reason));
    }
    this.#log ??= { generation: row.generation, adoptedAt: row.adoptedAt };
  }

  private refuse(error: ForeignDatabaseError): never {
    this.#foreign = error;
    this.#listeners.forEach((listener) => {
      listener(error);
    });
    throw error;
  }
}

/** Null where there is no log yet: each statement on a database that is not migrated fails by itself. */
async function readIdentity(client: pg.ClientBase): Promise<IdentityRow | null> {
  try {
    const { rows } = await client.query<IdentityRow>(READ);
    return rows[0] ?? null;
  } catch (error) {
    if (error instanceof pg.DatabaseError) {
      if (error.code === UNDEFINED_TABLE || error.code === UNDEFINED_COLUMN) {
        return null;
      }
      if (error.code === INSUFFICIENT_PRIVILEGE) {
        throw new ClusterUnknownError(error);
      }
    }
    throw error;
  }
}

/** Looks at the positions once per process, because that reads every partition. @returns why it must not go on here */
async function claim(client: pg.ClientBase, { recorded }: IdentityRow): Promise<string | undefined> {
  const { rows } = await client.query<{ isBehind: boolean }>(IS_BEHIND);
  if (rows[0]?.isBehind) {
    return 'it holds positions that its transactions have not reached';
  }
  if (recorded !== null) {
    return undefined;
  }
  const copied = await client.query<{ isCopied: boolean }>(IS_COPIED);
  if (copied.rows[0]?.isCopied) {
    return 'its events were copied here from another one';
  }
  await client.query(CLAIM);
  return undefined;
}

function difference({ generation, recorded, actual }: IdentityRow, log: KnownLog | undefined): string | undefined {
  if (recorded !== null && recorded !== actual) {
    return `it was written in ${recorded} (cluster/database/table), and this is ${actual}`;
  }
  if (log && log.generation !== generation) {
    return 'it was adopted while this process was running';
  }
  return undefined;
}

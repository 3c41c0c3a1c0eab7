import { Injectable } from '@nestjs/common';
import { Database } from '../prisma/database.js';
import { type LogPosition, toPosition } from './log-position.js';

/** How long a holder may be silent before another one takes over. */
export const LEASE_MS = 3_000;

/** The right to move a reader's cursor, until a process with a higher fence takes it. */
export interface Lease {
  readonly name: string;
  readonly fence: string;
  readonly position: LogPosition;
}

/**
 * One active holder per reader, for work whose effect lies outside of PostgreSQL. Time is the database's. A holder that
 * was stopped and comes back cannot move the cursor: its fence has been passed.
 */
@Injectable()
export class ReaderLeaseStore {
  constructor(private readonly database: Database) {}

  /** Null while another holder's lease runs. */
  async take(name: string, holder: string): Promise<Lease | null> {
    // SQL: database time
    const [row] = await this.database.query<{ fence: string; xid: string; event_id: string }>(
      'event_leases_take',
      `UPDATE event_readers
          SET holder = $2, fence = fence + 1, lease_until = clock_timestamp() + make_interval(secs => $3), updated_at = now()
        WHERE name = $1 AND (lease_until IS NULL OR lease_until < clock_timestamp())
        RETURNING fence::text, xid::text, event_id::text`,
      [name, holder, LEASE_MS / 1_000],
    );
    return row ? { name, fence: row.fence, position: toPosition(row.xid, row.event_id) } : null;
  }

  /** Moves the cursor and prolongs the lease. Null: the lease is lost, and nothing has changed. */
  async advance({ name, fence }: Lease, to: LogPosition): Promise<Lease | null> {
    // SQL: something Prisma cannot say: xid8
    const rows = await this.database.query(
      'event_leases_advance',
      `UPDATE event_readers
          SET xid = $3::xid8, event_id = $4::bigint, updated_at = now(),
              lease_until = clock_timestamp() + make_interval(secs => $5)
        WHERE name = $1 AND fence = $2
        RETURNING fence`,
      [name, fence, to.xid, to.id, LEASE_MS / 1_000],
    );
    return rows.length === 1 ? { name, fence, position: to } : null;
  }

  /** Lets another holder begin at once. */
  async release({ name, fence }: Lease): Promise<void> {
    await this.database.prisma((prisma) =>
      prisma.eventReader.updateMany({
        where: { name, fence: BigInt(fence) },
        data: { holder: null, leaseUntil: null },
      }),
    );
  }
}

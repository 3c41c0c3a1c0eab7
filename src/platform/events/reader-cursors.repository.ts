import { Injectable } from '@nestjs/common';
import { Database } from '../prisma/database.js';
import { HORIZON } from './event-rows.js';
import { LOG_START, type LogPosition, toPosition } from './log-position.js';

/** The relay's row. */
export const LIVE_FEED = 'live_feed';

interface PositionRow {
  xid: string;
  event_id: string;
}

/** How far each reader of the log has come: a row that changes together with what the reader does. */
@Injectable()
export class ReaderCursorsRepository {
  constructor(private readonly database: Database) {}

  /** A new reader starts at the beginning of what the log holds. */
  async ensure(name: string): Promise<void> {
    await this.database.prisma((prisma) => prisma.eventReader.createMany({ data: [{ name }], skipDuplicates: true }));
  }

  async find(name: string): Promise<LogPosition> {
    // SQL: something Prisma cannot say: xid8
    const [row] = await this.database.query<PositionRow>(
      'event_readers_find',
      'SELECT xid::text, event_id::text FROM event_readers WHERE name = $1',
      [name],
    );
    return row ? toPosition(row.xid, row.event_id) : LOG_START;
  }

  /** Whether there is anything for it to read: asked without a lock, because mostly there is nothing. */
  async hasWork(name: string): Promise<boolean> {
    // SQL: something Prisma cannot say: xid8
    const [row] = await this.database.query<{ work: boolean }>(
      'event_readers_has_work',
      `SELECT EXISTS (
         SELECT FROM events e
          WHERE (e.xid, e.id) > ((SELECT r.xid FROM event_readers r WHERE r.name = $1),
                                 (SELECT r.event_id FROM event_readers r WHERE r.name = $1))
            AND e.xid < ${HORIZON}) AS work`,
      [name],
    );
    return row?.work ?? false;
  }

  /** Holds the reader for the surrounding transaction. Null: another process holds it. */
  async lock(name: string): Promise<LogPosition | null> {
    // SQL: a lock
    const [row] = await this.database.query<PositionRow>(
      'event_readers_lock',
      'SELECT xid::text, event_id::text FROM event_readers WHERE name = $1 FOR NO KEY UPDATE SKIP LOCKED',
      [name],
    );
    return row ? toPosition(row.xid, row.event_id) : null;
  }

  async advance(name: string, to: LogPosition): Promise<void> {
    // SQL: something Prisma cannot say: xid8
    await this.database.query(
      'event_readers_advance',
      'UPDATE event_readers SET xid = $2::xid8, event_id = $3::bigint, updated_at = now() WHERE name = $1',
      [name, to.xid, to.id],
    );
  }
}

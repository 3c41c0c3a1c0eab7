import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import { CHANGE_COLUMNS, type ChangeRow, toChange } from '../commands.rows.js';
import { type CommandChange } from '../commands.types.js';

/**
 * Orders that a device may have been sent since the backup: one each second for twelve days. A counter of 32 bits, which
 * some firmware keeps against the protocol, bears four thousand restores.
 */
const COUNTERS_SKIPPED = 1_048_576;
/** The highest counter of the protocol. */
const LAST_COUNTER = Number.MAX_SAFE_INTEGER;

/** Commands and counters of a database that was restored. */
@Injectable()
export class CommandRecoveryRepository {
  constructor(private readonly database: Database) {}

  /** QUEUED to EXPIRED, in flight to TIMED_OUT: the next ones after the command of this id. @returns them in the order of their ids */
  async settleOpen(after: string | null, limit: number): Promise<CommandChange[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<ChangeRow>(
      'commands_settle_restored',
      `WITH open AS (
         SELECT o.id FROM commands o WHERE o.state IN ('QUEUED', 'SENT', 'RECEIVED', 'EXECUTING') AND ($1::uuid IS NULL OR o.id > $1)
         ORDER BY o.id LIMIT $2 FOR UPDATE
       ), settled AS (
         UPDATE commands c
         SET state = CASE WHEN c.state = 'QUEUED' THEN 'EXPIRED' ELSE 'TIMED_OUT' END::command_state, error_code = 'restored',
           error_message = 'A backup was restored: whether the order was sent and carried out since is not known.',
           finished_at = clock_timestamp(), version = c.version + 1
         FROM open WHERE c.id = open.id
         RETURNING ${CHANGE_COLUMNS}
       )
       SELECT * FROM settled ORDER BY id`,
      [after, limit],
    );
    return rows.map(toChange);
  }

  /**
   * Raises the order counter of a device that refused this order because it has accepted one with a higher counter. Once for
   * each order, and for orders with one counter: repeats of an answer raise nothing.
   */
  async raiseCounterAbove(deviceId: string, commandId: string): Promise<void> {
    // SQL: one round trip on a hot path: acks
    await this.database.query(
      'commands_raise_counter_above',
      `UPDATE devices d SET order_counter = least(c.counter + ${String(COUNTERS_SKIPPED)}, ${String(LAST_COUNTER - 1)})
       FROM commands c WHERE c.id = $2 AND c.device_id = $1 AND d.id = $1 AND d.order_counter < c.counter + ${String(COUNTERS_SKIPPED)}`,
      [deviceId, commandId],
    );
  }

  /** Raises the order counters of all devices. @returns how many */
  async raiseCounters(): Promise<number> {
    // SQL: a set-based batch
    const [row] = await this.database.query<{ raised: number }>(
      'commands_raise_counters',
      `WITH raised AS (
         UPDATE devices SET order_counter = least(order_counter + ${String(COUNTERS_SKIPPED)}, ${String(LAST_COUNTER - 1)}) RETURNING 1)
       SELECT count(*)::int AS raised FROM raised`,
    );
    return row?.raised ?? 0;
  }
}

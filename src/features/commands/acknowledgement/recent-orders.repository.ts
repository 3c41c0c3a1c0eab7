import { Injectable } from '@nestjs/common';
import type { CommandName, CommandState } from '../../../contracts/commands.js';
import { Database } from '../../../platform/prisma/database.js';
import { OF_THIS_OWNER } from '../commands.rows.js';
import type { LastAck, LastOrder, RecentOrders } from '../../presence/diagnostics/diagnostics.types.js';

/** Of these commands the last order and the last ack are found: one that had to wait longer is not the last. */
const RECENT = 100;

interface RecentRow {
  found: 'order' | 'ack';
  id: string;
  name: CommandName;
  state: CommandState;
  attempts: number;
  at: Date;
  error_code: string | null;
  error_message: string | null;
}

@Injectable()
export class RecentOrdersRepository {
  constructor(private readonly database: Database) {}

  /** Reads the newest commands of the device from the index, a hundred rows at most, and answers with two of them at most. */
  async get(deviceId: string): Promise<RecentOrders> {
    // A verdict that came too late is an ack as well.
    // SQL: something Prisma cannot say: two searches of the same few rows
    const rows = await this.database.query<RecentRow>(
      'commands_recent',
      `WITH recent AS MATERIALIZED (
         SELECT c.id, c.name, c.state, c.attempts, c.error_code, c.error_message, c.created_at, c.sent_at,
           coalesce(c.received_at, (c.late_result->>'receivedAt')::timestamptz) AS acked_at
         FROM commands c WHERE c.device_id = $1 AND ${OF_THIS_OWNER}
         ORDER BY c.created_at DESC, c.id DESC LIMIT ${String(RECENT)}
       )
       (SELECT 'order' AS found, id, name, state, attempts, error_code, error_message, sent_at AS at
        FROM recent WHERE sent_at IS NOT NULL ORDER BY sent_at DESC, created_at DESC, id DESC LIMIT 1)
       UNION ALL
       (SELECT 'ack', id, name, state, attempts, error_code, error_message, acked_at
        FROM recent WHERE acked_at IS NOT NULL ORDER BY acked_at DESC, created_at DESC, id DESC LIMIT 1)`,
      [deviceId],
    );
    const order = rows.find(({ found }) => found === 'order');
    const ack = rows.find(({ found }) => found === 'ack');
    return { lastOrder: order ? toOrder(order) : null, lastAck: ack ? toAck(ack) : null };
  }

  /** How many commands wait for a device: no more than its queue holds. */
  countQueued(deviceId: string): Promise<number> {
    return this.database.prisma((prisma) => prisma.command.count({ where: { deviceId, state: 'QUEUED' } }));
  }
}

function toOrder({ id, name, at, attempts, state }: RecentRow): LastOrder {
  return { commandId: id, name, sentAt: at, attempts, state };
}

function toAck({ id, name, at, state, error_code: errorCode, error_message: errorMessage }: RecentRow): LastAck {
  return { commandId: id, name, at, state, errorCode, errorMessage };
}

import { Injectable } from '@nestjs/common';
import { type CommandName, type CommandPayloads } from '../../contracts/commands.js';
import { type SignedOrder } from '../../contracts/orders.js';
import { Database } from '../../platform/prisma/database.js';
import { isUniqueViolation } from '../../platform/prisma/prisma-errors.js';
import { CHANGE_COLUMNS, type ChangeRow, COMMAND_COLUMNS, IN_FLIGHT, toChange } from './commands.rows.js';
import { type CommandChange } from './commands.types.js';
import { COMMAND_POLICIES } from './domain/command-policy.js';
import { type UptimeReport } from './domain/order.js';

/** The command whose turn it is, locked together with its device until the transaction ends. */
export interface NextCommand {
  id: string;
  deviceId: string;
  issuerId: string | null;
  name: CommandName;
  payload: CommandPayloads[CommandName];
  expiresAt: Date;
  ownerId: string;
  /** The next counter of this device. */
  counter: number;
  clock: UptimeReport;
  /** Now, on the database clock. */
  now: Date;
  /** Whether something waits in the other lane too. */
  othersWait: boolean;
}

interface NextRow extends ChangeRow {
  order_counter: string;
  boot: string;
  boot_uptime_ms: string;
  boot_reported_at: Date;
  now: Date;
  others_wait: boolean;
}

/** Another process has just sent something on this lane. The transaction is lost with it. */
export class LaneBusyError extends Error {}

/** An order that may go out, for as long as `remainingMs` says. */
export interface Transmission {
  command: CommandChange;
  signed: SignedOrder;
  /** From the moment the database answered. */
  remainingMs: number;
}

interface TransmissionRow extends ChangeRow {
  order: string;
  kid: string;
  signature: string;
  remaining_ms: string;
}

const ORDER_COLUMNS = `c."order", c.kid, c.signature,
  extract(epoch FROM least(c.expires_at, c.timeout_at) - clock_timestamp()) * 1000 AS remaining_ms`;

/** The device is connected with the boot that the order was made for, and there is time left to carry it out. */
const STILL_GOOD = `${IN_FLIGHT} AND clock_timestamp() < least(c.expires_at, c.timeout_at)
  AND EXISTS (SELECT 1 FROM devices d JOIN device_links l ON l.device_id = d.id WHERE d.id = c.device_id AND d.boot = c.boot)`;

const ONE_IN_FLIGHT = 'commands_one_in_flight_key';

const RESEND_NAMES = Object.keys(COMMAND_POLICIES);
const RESEND_INTERVALS = Object.values(COMMAND_POLICIES).map((policy) => policy.resendEveryMs);

/** Unanswered for as long as its kind may be. */
const DUE = `c.state = 'SENT' AND c.sent_at + c.attempts * (
  SELECT every FROM unnest($1::text[], $2::int[]) AS policy (name, every) WHERE policy.name = c.name
) * interval '1 millisecond' <= clock_timestamp()`;

/** The way of a command to its device: QUEUED to SENT, and SENT again. */
@Injectable()
export class DispatchRepository {
  constructor(private readonly database: Database) {}

  /**
   * Locks the device and the command whose turn it is, in this order, as everybody does. Null when nothing waits, the device is not connected, its
   * clock is unknown, or its lanes are busy.
   *
   * Waits for another process that holds the same row instead of skipping it: should that process fail, the next in
   * line would overtake.
   */
  async lockNext(deviceId: string): Promise<NextCommand | null> {
    const [row] = await this.database.query<NextRow>(
      'commands_lock_next',
      `SELECT ${COMMAND_COLUMNS}, d.owner_id, d.order_counter, d.boot, d.boot_uptime_ms, d.boot_reported_at,
         clock_timestamp() AS now,
         EXISTS (
           SELECT 1 FROM commands o WHERE o.device_id = c.device_id AND o.state = 'QUEUED' AND o.lane <> c.lane
         ) AS others_wait
       FROM commands c JOIN devices d ON d.id = c.device_id
       WHERE c.device_id = $1 AND c.state = 'QUEUED'
         AND d.boot IS NOT NULL AND d.boot_uptime_ms IS NOT NULL AND d.boot_reported_at IS NOT NULL
         AND EXISTS (SELECT 1 FROM device_links l WHERE l.device_id = c.device_id)
         AND NOT EXISTS (
           SELECT 1 FROM commands f
           WHERE f.device_id = c.device_id AND f.lane = c.lane AND f.state IN ('SENT', 'RECEIVED', 'EXECUTING')
         )
       ORDER BY c.lane, c.priority, c.created_at, c.id
       LIMIT 1
       FOR NO KEY UPDATE OF d FOR UPDATE OF c`,
      [deviceId],
    );
    return row ? toNext(row) : null;
  }

  /**
   * QUEUED to SENT with the signed bytes, and takes the counter; null when its life ended meanwhile.
   * @throws LaneBusyError
   */
  async markSent(
    next: NextCommand,
    order: SignedOrder & { sentAt: Date; timeoutMs: number },
  ): Promise<CommandChange | null> {
    const rows = await this.database
      .query<ChangeRow>(
        'commands_mark_sent',
        `WITH counted AS (UPDATE devices SET order_counter = $3 WHERE id = $2)
       UPDATE commands c
       SET state = 'SENT', counter = $3, boot = $4, "order" = $5, kid = $6, signature = $7, attempts = 1,
         sent_at = $8, timeout_at = $8::timestamptz + $9 * interval '1 millisecond', version = c.version + 1
       WHERE c.id = $1 AND c.device_id = $2 AND c.state = 'QUEUED' AND c.expires_at > clock_timestamp()
       RETURNING ${CHANGE_COLUMNS}`,
        [
          next.id,
          next.deviceId,
          next.counter,
          next.clock.boot,
          order.order,
          order.kid,
          order.signature,
          order.sentAt,
          order.timeoutMs,
        ],
      )
      .catch((error: unknown) => {
        throw isUniqueViolation(error, ONE_IN_FLIGHT)
          ? new LaneBusyError('The lane is busy.', { cause: error })
          : error;
      });
    const [row] = rows;
    return row ? toChange(row) : null;
  }

  /** QUEUED to EXPIRED for a locked command. */
  async expire(id: string, reason: 'deadline' | 'permission_revoked'): Promise<CommandChange | null> {
    const [row] = await this.database.query<ChangeRow>(
      'commands_expire',
      `UPDATE commands c
       SET state = 'EXPIRED', error_code = $2, finished_at = clock_timestamp(), version = c.version + 1
       WHERE c.id = $1 AND c.state = 'QUEUED'
       RETURNING ${CHANGE_COLUMNS}`,
      [id, reason],
    );
    return row ? toChange(row) : null;
  }

  /** Counts one more attempt for every order to this device that is still good, and hands them out byte for byte. */
  async resendToDevice(deviceId: string): Promise<Transmission[]> {
    const rows = await this.database.query<TransmissionRow>(
      'commands_resend_to_device',
      `UPDATE commands c SET attempts = c.attempts + 1, version = c.version + 1
       WHERE c.device_id = $1 AND ${STILL_GOOD}
       RETURNING ${CHANGE_COLUMNS}, ${ORDER_COLUMNS}`,
      [deviceId],
    );
    return rows.map(toTransmission);
  }

  /** The same for orders that were not answered within the interval of their kind. */
  async resendDue(limit: number): Promise<Transmission[]> {
    const rows = await this.database.query<TransmissionRow>(
      'commands_resend_due',
      `WITH due AS (
         SELECT c.id FROM commands c WHERE ${DUE} AND ${STILL_GOOD} ORDER BY c.timeout_at LIMIT $3 FOR UPDATE SKIP LOCKED
       )
       UPDATE commands c SET attempts = c.attempts + 1, version = c.version + 1
       FROM due WHERE c.id = due.id
       RETURNING ${CHANGE_COLUMNS}, ${ORDER_COLUMNS}`,
      [RESEND_NAMES, RESEND_INTERVALS, limit],
    );
    return rows.map(toTransmission);
  }

  /** Whether a resend is due, and which devices have something that could go out now. One look, no locks. */
  async findWaiting(limit: number): Promise<{ resendDue: boolean; deviceIds: string[] }> {
    const [row] = await this.database.query<{ resend_due: boolean; device_ids: string[] }>(
      'commands_waiting',
      `SELECT EXISTS (SELECT 1 FROM commands c WHERE ${DUE} AND ${STILL_GOOD}) AS resend_due,
         ARRAY (
           SELECT DISTINCT c.device_id FROM commands c JOIN devices d ON d.id = c.device_id
           WHERE c.state = 'QUEUED'
             AND d.boot IS NOT NULL AND d.boot_uptime_ms IS NOT NULL AND d.boot_reported_at IS NOT NULL
             AND EXISTS (SELECT 1 FROM device_links l WHERE l.device_id = c.device_id)
             AND NOT EXISTS (
               SELECT 1 FROM commands f
               WHERE f.device_id = c.device_id AND f.lane = c.lane AND f.state IN ('SENT', 'RECEIVED', 'EXECUTING')
             )
           LIMIT $3
         ) AS device_ids`,
      [RESEND_NAMES, RESEND_INTERVALS, limit],
    );
    return { resendDue: row?.resend_due ?? false, deviceIds: row?.device_ids ?? [] };
  }

  /** Whether this device has a command that is not settled. One look, no locks. */
  async hasOpen(deviceId: string): Promise<boolean> {
    const rows = await this.database.query(
      'commands_has_open',
      `(SELECT 1 FROM commands c WHERE c.device_id = $1 AND c.state = 'QUEUED' LIMIT 1)
       UNION ALL (SELECT 1 FROM commands c WHERE c.device_id = $1 AND ${IN_FLIGHT} LIMIT 1)`,
      [deviceId],
    );
    return rows.length > 0;
  }
}

function toNext(row: NextRow): NextCommand {
  return {
    id: row.id,
    deviceId: row.device_id,
    issuerId: row.issuer_id,
    name: row.name,
    payload: row.payload,
    expiresAt: row.expires_at,
    ownerId: row.owner_id,
    counter: Number(row.order_counter) + 1,
    clock: { boot: row.boot, uptimeMs: Number(row.boot_uptime_ms), reportedAt: row.boot_reported_at },
    now: row.now,
    othersWait: row.others_wait,
  };
}

function toTransmission(row: TransmissionRow): Transmission {
  return {
    command: toChange(row),
    signed: { order: row.order, kid: row.kid, signature: row.signature },
    remainingMs: Number(row.remaining_ms),
  };
}

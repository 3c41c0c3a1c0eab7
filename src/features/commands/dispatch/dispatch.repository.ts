import { Injectable } from '@nestjs/common';
import { type CommandName, type CommandPayloads } from '../../../contracts/commands.js';
import { type SignedOrder } from '../../../contracts/orders.js';
import { Database } from '../../../platform/prisma/database.js';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { isUniqueViolation } from '../../../platform/prisma/prisma-errors.js';
import { CHANGE_COLUMNS, type ChangeRow, IN_FLIGHT, toChange } from '../commands.rows.js';
import { type CommandChange } from '../commands.types.js';
import { COMMAND_POLICIES } from '../domain/command-policy.js';
import { type UptimeReport } from '../domain/order.js';

/** The command whose turn it is. Its device is locked until the transaction ends. */
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

type NextRow = Pick<ChangeRow, 'id' | 'device_id' | 'issuer_id' | 'name' | 'payload' | 'expires_at' | 'owner_id'> & {
  order_counter: string;
  boot: string;
  boot_uptime_ms: string;
  boot_reported_at: Date;
  now: Date;
  others_wait: boolean;
};

/** A command whose turn it is, as it is about to go out. */
export interface OrderToSend {
  next: NextCommand;
  signed: SignedOrder;
  /** From sending on: when silence becomes TIMED_OUT. */
  timeoutMs: number;
}

/** Why a command is not sent any more. */
export type ExpiryReason = 'deadline' | 'permission_revoked';

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

/** Whoever is blocked or deleted by now is nobody, and nobody may do nothing. */
const ISSUER = `(
  SELECT u.id FROM users u WHERE u.id = c.issuer_id AND u.deleted_at IS NULL AND u.blocked_at IS NULL
) AS issuer_id`;

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
   * Locks these devices, in the order of their ids as everybody does, and finds for each the command whose turn it is.
   * A device is missing from the answer when nothing waits, it is not connected, its clock is unknown, or its lanes are
   * busy.
   *
   * Waits for another process that holds a device instead of skipping it: should that process fail, the next in line
   * would overtake.
   */
  async lockNext(deviceIds: readonly string[]): Promise<NextCommand[]> {
    await this.database.execute(
      'commands_lock_devices',
      `SELECT FROM devices WHERE id = ANY (${arrayParam(1, 'uuid')}) ORDER BY id FOR NO KEY UPDATE`,
      [deviceIds],
    );
    // A statement of its own, though it travels with the first: one that waited for a lock would still see the lane as
    // it was before.
    const rows = await this.database.query<NextRow>(
      'commands_next',
      `SELECT c.id, c.device_id, ${ISSUER}, c.name, c.payload, c.expires_at, d.owner_id, d.order_counter, d.boot,
         d.boot_uptime_ms, d.boot_reported_at, clock_timestamp() AS now,
         EXISTS (
           SELECT 1 FROM commands o WHERE o.device_id = d.id AND o.state = 'QUEUED' AND o.lane <> c.lane
         ) AS others_wait
       FROM devices d CROSS JOIN LATERAL (
         SELECT q.* FROM commands q
         WHERE q.device_id = d.id AND q.state = 'QUEUED' AND NOT EXISTS (
           SELECT 1 FROM commands f
           WHERE f.device_id = q.device_id AND f.lane = q.lane AND f.state IN ('SENT', 'RECEIVED', 'EXECUTING')
         )
         ORDER BY q.lane, q.priority, q.created_at, q.id
         LIMIT 1
       ) c
       WHERE d.id = ANY (${arrayParam(1, 'uuid')})
         AND d.boot IS NOT NULL AND d.boot_uptime_ms IS NOT NULL AND d.boot_reported_at IS NOT NULL
         AND EXISTS (SELECT 1 FROM device_links l WHERE l.device_id = d.id)`,
      [deviceIds],
    );
    return rows.map(toNext);
  }

  /**
   * QUEUED to SENT with the signed bytes, and takes the counters. A command whose life ended meanwhile, or that was taken
   * back, is missing from the answer.
   * @throws LaneBusyError
   */
  async markSent(orders: readonly OrderToSend[]): Promise<CommandChange[]> {
    const columns = [
      orders.map(({ next }) => next.id),
      orders.map(({ next }) => next.deviceId),
      orders.map(({ next }) => next.counter),
      orders.map(({ next }) => next.clock.boot),
      orders.map(({ signed }) => signed.order),
      orders.map(({ signed }) => signed.kid),
      orders.map(({ signed }) => signed.signature),
      orders.map(({ next }) => next.now),
      orders.map(({ timeoutMs }) => timeoutMs),
    ];
    const rows = await this.database
      .query<ChangeRow>(
        'commands_mark_sent',
        `WITH o AS (
         SELECT * FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'uuid')}, ${arrayParam(3, 'bigint')}, ${arrayParam(4, 'text')}, ${arrayParam(5, 'text')},
           ${arrayParam(6, 'text')}, ${arrayParam(7, 'text')}, ${arrayParam(8, 'timestamptz')}, ${arrayParam(9, 'int')}) AS o(id, device_id, counter, boot, "order", kid, signature, sent_at, timeout_ms)
       ), counted AS (
         UPDATE devices d SET order_counter = o.counter FROM o WHERE d.id = o.device_id
       )
       UPDATE commands c
       SET state = 'SENT', counter = o.counter, boot = o.boot, "order" = o."order", kid = o.kid, signature = o.signature,
         attempts = 1, sent_at = o.sent_at, timeout_at = o.sent_at + o.timeout_ms * interval '1 millisecond',
         version = c.version + 1
       FROM o
       WHERE c.id = o.id AND c.device_id = o.device_id AND c.state = 'QUEUED' AND c.expires_at > clock_timestamp()
       RETURNING ${CHANGE_COLUMNS}`,
        columns,
      )
      .catch((error: unknown) => {
        throw isUniqueViolation(error, ONE_IN_FLIGHT)
          ? new LaneBusyError('The lane is busy.', { cause: error })
          : error;
      });
    return rows.map(toChange);
  }

  /** QUEUED to EXPIRED for commands of locked devices. */
  async expire(refused: readonly { id: string; reason: ExpiryReason }[]): Promise<CommandChange[]> {
    const rows = await this.database.query<ChangeRow>(
      'commands_expire',
      `UPDATE commands c
       SET state = 'EXPIRED', error_code = r.reason, finished_at = clock_timestamp(), version = c.version + 1
       FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'text')}) AS r(id, reason)
       WHERE c.id = r.id AND c.state = 'QUEUED'
       RETURNING ${CHANGE_COLUMNS}`,
      [refused.map(({ id }) => id), refused.map(({ reason }) => reason)],
    );
    return rows.map(toChange);
  }

  /** Counts one more attempt for every order to this device that is still good, and hands them out byte for byte. */
  async resendToDevice(deviceId: string): Promise<Transmission[]> {
    const rows = await this.database.query<TransmissionRow>(
      'commands_resend_to_device',
      `WITH held AS MATERIALIZED (
         SELECT c.id FROM commands c WHERE c.device_id = $1 AND ${STILL_GOOD} ORDER BY c.id FOR UPDATE
       )
       UPDATE commands c SET attempts = c.attempts + 1, version = c.version + 1
       FROM held WHERE c.id = held.id AND ${STILL_GOOD}
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

  /** Which of these devices have a command that is not settled. One look, no locks. */
  async listOpen(deviceIds: readonly string[]): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      'commands_list_open',
      `SELECT d.id FROM unnest(${arrayParam(1, 'uuid')}) AS d(id)
       WHERE EXISTS (SELECT 1 FROM commands c WHERE c.device_id = d.id AND c.state = 'QUEUED')
         OR EXISTS (SELECT 1 FROM commands c WHERE c.device_id = d.id AND ${IN_FLIGHT})`,
      [deviceIds],
    );
    return rows.map((row) => row.id);
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

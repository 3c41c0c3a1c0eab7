import { Injectable } from '@nestjs/common';
import { type ExpiryReason } from '../../../contracts/commands.js';
import { LINK_KINDS, type LinkKind } from '../../../contracts/devices.js';
import { Database } from '../../../platform/prisma/database.js';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { isUniqueViolation } from '../../../platform/prisma/prisma-errors.js';
import { HAS_TOKEN, hasOrderLink } from '../../devices/devices.types.js';
import { LEAST_UPTIME_MS } from '../../presence/clock-anchor.types.js';
import { CHANGE_COLUMNS, type ChangeRow, IN_FLIGHT, toChange } from '../commands.rows.js';
import { type CommandChange } from '../commands.types.js';
import { COMMAND_POLICIES } from '../domain/command-policy.js';
import {
  ISSUER,
  LINKS,
  type NextCommand,
  type NextRow,
  ORDER_COLUMNS,
  type OrderToSend,
  STILL_VALID,
  toNext,
  toTransmission,
  type Transmission,
  type TransmissionRow,
} from './dispatch.rows.js';

/** Another process has just sent an order on this lane. The transaction has failed with it. */
export class LaneBusyError extends Error {}

const ONE_IN_FLIGHT = 'commands_one_in_flight_key';

const RESEND_NAMES = Object.keys(COMMAND_POLICIES);
const RESEND_INTERVALS = Object.values(COMMAND_POLICIES).map((policy) => policy.resendEveryMs);

/** An order that was not answered within the resend interval of its kind. */
const DUE = `c.state = 'SENT' AND c.sent_at + c.attempts * (
  SELECT every FROM unnest($1::text[], $2::int[]) AS policy (name, every) WHERE policy.name = c.name
) * interval '1 millisecond' <= clock_timestamp()`;

/** The condition that the device of a command has one of the links of a parameter. */
const isReachable = (parameter: number): string =>
  `EXISTS (SELECT 1 FROM device_links r WHERE r.device_id = c.device_id AND r.kind = ANY (${arrayParam(parameter, 'link_kind')}))`;

/** Commands on their way to a device: sent, sent again, expired and timed out. */
@Injectable()
export class DispatchRepository {
  constructor(private readonly database: Database) {}

  /**
   * Locks these devices, in the order of their ids like every transaction, and finds for each the command to send next.
   * A device is missing from the answer when nothing waits, it is not connected by one of these `links` or has no token, its
   * clock is unknown, or its lanes are busy.
   *
   * It waits for another process that has locked a device instead of skipping the device: if that process failed, a
   * later command could overtake.
   */
  async lockNext(deviceIds: readonly string[], links: readonly LinkKind[] = LINK_KINDS): Promise<NextCommand[]> {
    // SQL: a lock
    await this.database.execute(
      'commands_lock_devices',
      `SELECT FROM devices WHERE id = ANY (${arrayParam(1, 'uuid')}) ORDER BY id FOR NO KEY UPDATE`,
      [deviceIds],
    );
    // A separate statement, although it is sent with the first: one that waited for a lock would still see the lane as it
    // was before the wait.
    // SQL: a set-based batch
    const rows = await this.database.query<NextRow>(
      'commands_next',
      `SELECT c.id, c.device_id, ${ISSUER}, c.name, c.payload, c.expires_at, d.owner_id, d.order_counter, d.boot,
         ${LEAST_UPTIME_MS} AS boot_uptime_ms, d.boot_reported_at, d.uptime_fell_at IS NULL AS steady, clock_timestamp() AS now,
         ${LINKS} AS links,
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
         AND ${hasOrderLink(arrayParam(2, 'link_kind'))} AND ${HAS_TOKEN}`,
      [deviceIds, links],
    );
    return rows.map(toNext);
  }

  /**
   * QUEUED to SENT with the signed bytes, and takes the counters. A command that expired or was cancelled meanwhile is
   * missing from the answer.
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
    // SQL: a set-based batch
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
    // SQL: a set-based batch
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

  /**
   * Counts one more attempt for every order to this device that is still valid, if it is connected by one of these `links`.
   * @returns the bytes that were signed
   */
  async resendToDevice(deviceId: string, links: readonly LinkKind[] = LINK_KINDS): Promise<Transmission[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<TransmissionRow>(
      'commands_resend_to_device',
      `WITH held AS MATERIALIZED (
         SELECT c.id FROM commands c WHERE c.device_id = $1 AND ${STILL_VALID} AND ${isReachable(2)} ORDER BY c.id FOR UPDATE
       )
       UPDATE commands c SET attempts = c.attempts + 1, version = c.version + 1
       FROM held WHERE c.id = held.id AND ${STILL_VALID}
       RETURNING ${CHANGE_COLUMNS}, ${ORDER_COLUMNS}`,
      [deviceId, links],
    );
    return rows.map(toTransmission);
  }

  /** The same for orders that were not answered within the resend interval of their kind. */
  async resendDue(limit: number, links: readonly LinkKind[] = LINK_KINDS): Promise<Transmission[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<TransmissionRow>(
      'commands_resend_due',
      `WITH due AS (
         SELECT c.id FROM commands c WHERE ${DUE} AND ${STILL_VALID} AND ${isReachable(4)}
         ORDER BY c.timeout_at LIMIT $3 FOR UPDATE SKIP LOCKED
       )
       UPDATE commands c SET attempts = c.attempts + 1, version = c.version + 1
       FROM due WHERE c.id = due.id
       RETURNING ${CHANGE_COLUMNS}, ${ORDER_COLUMNS}`,
      [RESEND_NAMES, RESEND_INTERVALS, limit, links],
    );
    return rows.map(toTransmission);
  }

  /**
   * Orders in flight that are still valid, with the bytes that were signed: one of them, or all to these devices. Takes no
   * locks and counts nothing: each was recorded as sent before.
   */
  async listInFlight(of: { deviceIds: readonly string[]; commandId: string | null }): Promise<Transmission[]> {
    // SQL: database time
    const rows = await this.database.query<TransmissionRow>(
      'commands_in_flight',
      `SELECT ${CHANGE_COLUMNS}, ${ORDER_COLUMNS} FROM commands c
       WHERE c.device_id = ANY (${arrayParam(1, 'uuid')}) AND c.state = 'SENT' AND ${STILL_VALID}
         AND ($2::uuid IS NULL OR c.id = $2)
       ORDER BY c.counter`,
      [of.deviceIds, of.commandId],
    );
    return rows.map(toTransmission);
  }

  /** Whether a resend is due, and which devices have a command that could be sent now. Takes no locks. */
  async findWaiting(
    limit: number,
    links: readonly LinkKind[] = LINK_KINDS,
  ): Promise<{ resendDue: boolean; deviceIds: string[] }> {
    // SQL: database time
    const [row] = await this.database.query<{ resend_due: boolean; device_ids: string[] }>(
      'commands_waiting',
      `SELECT EXISTS (SELECT 1 FROM commands c WHERE ${DUE} AND ${STILL_VALID} AND ${isReachable(4)}) AS resend_due,
         ARRAY (
           SELECT DISTINCT c.device_id FROM commands c JOIN devices d ON d.id = c.device_id
           WHERE c.state = 'QUEUED'
             AND d.boot IS NOT NULL AND d.boot_uptime_ms IS NOT NULL AND d.boot_reported_at IS NOT NULL
             AND ${hasOrderLink(arrayParam(4, 'link_kind'))} AND ${HAS_TOKEN}
             AND NOT EXISTS (
               SELECT 1 FROM commands f
               WHERE f.device_id = c.device_id AND f.lane = c.lane AND f.state IN ('SENT', 'RECEIVED', 'EXECUTING')
             )
           LIMIT $3
         ) AS device_ids`,
      [RESEND_NAMES, RESEND_INTERVALS, limit, links],
    );
    return { resendDue: row?.resend_due ?? false, deviceIds: row?.device_ids ?? [] };
  }

  /** Which of these devices have a command that is not settled. Takes no locks. */
  async listOpen(deviceIds: readonly string[]): Promise<string[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<{ id: string }>(
      'commands_list_open',
      `SELECT d.id FROM unnest(${arrayParam(1, 'uuid')}) AS d(id)
       WHERE EXISTS (SELECT 1 FROM commands c WHERE c.device_id = d.id AND c.state = 'QUEUED')
         OR EXISTS (SELECT 1 FROM commands c WHERE c.device_id = d.id AND ${IN_FLIGHT})`,
      [deviceIds],
    );
    return rows.map((row) => row.id);
  }

  /** Whether a command has to expire or time out. Takes no locks. */
  async findOverdue(): Promise<{ expired: boolean; silent: boolean }> {
    // SQL: database time
    const [row] = await this.database.query<{ expired: boolean; silent: boolean }>(
      'commands_overdue',
      `SELECT EXISTS (SELECT 1 FROM commands c WHERE c.state = 'QUEUED' AND c.expires_at <= clock_timestamp()) AS expired,
         EXISTS (SELECT 1 FROM commands c WHERE ${IN_FLIGHT} AND c.timeout_at <= clock_timestamp()) AS silent`,
    );
    return row ?? { expired: false, silent: false };
  }

  /** QUEUED to EXPIRED, oldest deadline first. */
  async expireOverdue(limit: number): Promise<CommandChange[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<ChangeRow>(
      'commands_expire_overdue',
      `WITH due AS (
         SELECT q.id FROM commands q WHERE q.state = 'QUEUED' AND q.expires_at <= clock_timestamp()
         ORDER BY q.expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
       )
       UPDATE commands c
       SET state = 'EXPIRED', error_code = 'deadline', finished_at = clock_timestamp(), version = c.version + 1
       FROM due WHERE c.id = due.id AND c.state = 'QUEUED'
       RETURNING ${CHANGE_COLUMNS}`,
      [limit],
    );
    return rows.map(toChange);
  }

  /** In flight to TIMED_OUT, longest overdue first. */
  async timeOutSilent(limit: number): Promise<CommandChange[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<ChangeRow>(
      'commands_time_out',
      `WITH due AS (
         SELECT c.id FROM commands c WHERE ${IN_FLIGHT} AND c.timeout_at <= clock_timestamp()
         ORDER BY c.timeout_at LIMIT $1 FOR UPDATE SKIP LOCKED
       )
       UPDATE commands c SET state = 'TIMED_OUT', finished_at = clock_timestamp(), version = c.version + 1
       FROM due WHERE c.id = due.id AND ${IN_FLIGHT}
       RETURNING ${CHANGE_COLUMNS}`,
      [limit],
    );
    return rows.map(toChange);
  }
}

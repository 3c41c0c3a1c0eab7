import { Injectable } from '@nestjs/common';
import type { RateLimitPolicy } from '../../config/rate-limit.js';
import { type DeviceType } from '../../contracts/devices.js';
import { Database } from '../../platform/prisma/database.js';
import { arrayParam } from '../../platform/prisma/array-param.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../shared/cursor.js';
import { type Page, toPage } from '../../shared/paging.js';
import { HAS_ORDER_LINK } from '../devices/devices.types.js';
import {
  CHANGE_COLUMNS,
  type ChangeRow,
  COMMAND_COLUMNS,
  type CommandRow,
  OF_THIS_OWNER,
  toChange,
  toCommand,
  unlockRestricted,
} from './commands.rows.js';
import {
  type Command,
  type CommandChange,
  type CommandFilter,
  type CommandSubmission,
  type LinkLack,
} from './commands.types.js';
import { type CommandPolicy, MAX_QUEUED_PER_DEVICE } from './domain/command-policy.js';

export type NewCommand = CommandSubmission & {
  id: string;
  correlationId: string;
  policy: CommandPolicy;
  /** How long ago it was asked for, in milliseconds: its life counts from then. */
  ageMs: number;
};

/** The command that was created, or why it was refused. */
export type Creation =
  | { command: CommandChange; refusal?: never }
  | { command?: never; refusal: 'not_supported'; deviceType: DeviceType }
  | { command?: never; refusal: 'unlock_restricted'; until: Date }
  | { command?: never; refusal: 'offline'; lack: LinkLack }
  | { command?: never; refusal: 'unlocked_too_often'; resetMs: number }
  | { command?: never; refusal: 'unknown_device' | 'uptime_fell' | 'queue_full' };

type CreationRow = {
  device_type: DeviceType | null;
  linked: boolean;
  lack: LinkLack | null;
  steady: boolean;
  restricted_until: Date | null;
  unlocks_reset_ms: number | null;
} & (ChangeRow | { id: null });

/**
 * The condition that the issuer of `n` is tied to `d`, read when its row is held: a device that changed hands since the guard
 * looked takes no order of its last owner.
 */
const HAS_TIE = `(d.owner_id = n.issuer_id
  OR EXISTS (SELECT FROM device_shares s WHERE s.device_id = d.id AND s.user_id = n.issuer_id)
  OR EXISTS (SELECT FROM memberships m WHERE m.organization_id = d.organization_id AND m.user_id = n.issuer_id))`;

/** Commands as users see them: created, cancelled, read. */
@Injectable()
export class CommandsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Checks the devices and queues the commands that are not refused, in one statement. It answers in the order of
   * `commands`. Concurrent requests may exceed the limit of a queue, or of unlocks, by their number at most.
   * @param unlocks how many are accepted for one device, in any time of that length
   */
  async create(
    commands: readonly NewCommand[],
    unlocks: Pick<RateLimitPolicy, 'limit' | 'windowMs'>,
  ): Promise<Creation[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<CreationRow>(
      'commands_create',
      `WITH n AS (
         SELECT * FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (id uuid, device_id uuid, issuer_id uuid, name text,
             lane command_lane, priority int, payload jsonb, life_ms int, correlation_id text, device_types text[],
             needs_link boolean, needs_steady_uptime boolean))
           WITH ORDINALITY AS n(id, device_id, issuer_id, name, lane, priority, payload, life_ms, correlation_id,
             device_types, needs_link, needs_steady_uptime, place)
       ), looked AS (
         SELECT n.*, d.owner_id, d.type AS device_type, d.uptime_fell_at IS NULL AS steady,
           ${HAS_ORDER_LINK} AS linked,
           (SELECT count(*) FROM (
             SELECT 1 FROM commands q WHERE q.device_id = d.id AND q.state = 'QUEUED' LIMIT $2
           ) waiting) < $2 AS has_room,
           (SELECT u.unlock_after FROM users u WHERE u.id = n.issuer_id AND ${unlockRestricted('n')}) AS restricted_until,
           (SELECT extract(epoch FROM u.created_at - now())::float8 * 1000 + $4 FROM commands u
            WHERE n.name = 'unlock_door' AND u.device_id = d.id AND u.name = 'unlock_door'
              AND u.created_at > now() - $4 * interval '1 millisecond'
            ORDER BY u.created_at DESC OFFSET $3::int - 1 LIMIT 1) AS unlocks_reset_ms
         FROM n JOIN devices d ON d.id = n.device_id
         WHERE ${HAS_TIE} FOR KEY SHARE OF d
       ), c AS (
         INSERT INTO commands (id, device_id, issuer_id, name, lane, priority, payload, expires_at, correlation_id)
         SELECT id, device_id, issuer_id, name, lane, priority, payload, now() + life_ms * interval '1 millisecond',
           correlation_id
         FROM looked
         WHERE device_type::text = ANY (device_types) AND (linked OR NOT needs_link)
           AND (steady OR NOT needs_steady_uptime) AND has_room AND restricted_until IS NULL
           AND unlocks_reset_ms IS NULL
         RETURNING *
       )
       SELECT l.device_type, l.linked, CASE WHEN NOT l.linked THEN (
           SELECT CASE WHEN bool_or(k.kind <> 'http') THEN 'asleep' WHEN count(*) > 0 THEN 'http_only' ELSE 'no_link' END
           FROM device_links k WHERE k.device_id = l.device_id) END AS lack, l.steady, l.restricted_until, l.unlocks_reset_ms, l.owner_id, ${COMMAND_COLUMNS}
       FROM n LEFT JOIN looked l ON l.place = n.place LEFT JOIN c ON c.id = n.id ORDER BY n.place`,
      [JSON.stringify(commands.map(toRecord)), MAX_QUEUED_PER_DEVICE, unlocks.limit, unlocks.windowMs],
    );
    return rows.map((row, index) => toCreation(row, commands[index]?.policy));
  }

  /** QUEUED to CANCELLED. @returns null when the command is not in the queue (any more) */
  async cancel(deviceId: string, id: string): Promise<CommandChange | null> {
    // SQL: database time
    const [row] = await this.database.query<ChangeRow>(
      'commands_cancel',
      `UPDATE commands c SET state = 'CANCELLED', finished_at = clock_timestamp(), version = c.version + 1
       WHERE c.id = $1 AND c.device_id = $2 AND c.state = 'QUEUED'
       RETURNING ${CHANGE_COLUMNS}`,
      [id, deviceId],
    );
    return row ? toChange(row) : null;
  }

  async find(deviceId: string, id: string): Promise<Command | null> {
    // SQL: one round trip on a hot path: clients poll it
    const [row] = await this.database.queryHot<CommandRow>(
      'commands_find',
      `SELECT ${COMMAND_COLUMNS} FROM commands c WHERE c.id = $1 AND c.device_id = $2 AND ${OF_THIS_OWNER}`,
      [id, deviceId],
    );
    return row ? toCommand(row) : null;
  }

  /** Those of these commands that have settled, and the ids of which there is none (any more). */
  async listEnded(ids: readonly string[]): Promise<{ settled: Command[]; missing: string[] }> {
    // SQL: a set-based batch
    const rows = await this.database.query<{ wanted: string } & (CommandRow | { id: null })>(
      'commands_ended',
      `SELECT wanted, ${COMMAND_COLUMNS} FROM unnest(${arrayParam(1, 'uuid')}) AS wanted LEFT JOIN commands c ON c.id = wanted
       WHERE c.id IS NULL OR c.state IN ('EXECUTED', 'FAILED', 'TIMED_OUT', 'EXPIRED', 'CANCELLED')`,
      [ids],
    );
    return {
      settled: rows.flatMap((row) => (row.id === null ? [] : [toCommand(row)])),
      missing: rows.flatMap((row) => (row.id === null ? [row.wanted] : [])),
    };
  }

  /** Deletes commands that ended; one that takes a late verdict at this moment waits for the next run. @returns how many. */
  async purge(limit: number, keptMs: number): Promise<number> {
    // SQL: a set-based batch
    const rows = await this.database.query(
      'commands_purge',
      `DELETE FROM commands WHERE id IN (
         SELECT id FROM commands WHERE finished_at < now() - $2 * interval '1 millisecond'
         ORDER BY finished_at LIMIT $1 FOR UPDATE SKIP LOCKED
       ) RETURNING 1`,
      [limit, keptMs],
    );
    return rows.length;
  }

  /** Newest first. @throws InvalidCursorError */
  async listPage(
    deviceId: string,
    filter: CommandFilter,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<Page<Command>> {
    const [createdAt, id] = decodeCursor('commands', page.cursor, CREATION_PARTS) ?? [null, null];
    // SQL: a keyset
    const rows = await this.database.query<CommandRow>(
      'commands_list',
      `SELECT ${COMMAND_COLUMNS} FROM commands c
       WHERE c.device_id = $1 AND ${OF_THIS_OWNER}
         AND ($2::command_state IS NULL OR c.state = $2)
         AND ($3::text IS NULL OR c.name = $3)
         AND ($4::timestamptz IS NULL OR (c.created_at, c.id) < ($4, $5::uuid))
       ORDER BY c.created_at DESC, c.id DESC LIMIT $6`,
      [deviceId, filter.state ?? null, filter.name ?? null, createdAt, id, page.limit + 1],
    );
    return toPage(rows, page.limit, toCommand, (row) =>
      encodeCursor('commands', [row.created_at.toISOString(), row.id]),
    );
  }
}

/** Names as in the record type of the statement. */
function toRecord({ policy, ...command }: NewCommand): Record<string, unknown> {
  return {
    id: command.id,
    device_id: command.deviceId,
    issuer_id: command.issuerId,
    name: command.name,
    lane: policy.lane,
    priority: policy.priority,
    payload: command.payload,
    life_ms: Math.max(0, Math.floor(policy.lifeMs - command.ageMs)),
    correlation_id: command.correlationId,
    device_types: policy.deviceTypes,
    needs_link: policy.needsLink,
    needs_steady_uptime: policy.needsSteadyUptime,
  };
}

function toCreation(row: CreationRow, policy: CommandPolicy | undefined): Creation {
  if (row.id !== null) {
    return { command: toChange(row) };
  }
  if (row.device_type === null) {
    return { refusal: 'unknown_device' };
  }
  if (!policy?.deviceTypes.includes(row.device_type)) {
    return { refusal: 'not_supported', deviceType: row.device_type };
  }
  if (row.restricted_until) {
    return { refusal: 'unlock_restricted', until: row.restricted_until };
  }
  if (policy.needsLink && !row.linked) {
    return { refusal: 'offline', lack: row.lack ?? 'no_link' };
  }
  return refusalForNow(row, policy);
}

/** Of a connected device that takes this command from this person. */
function refusalForNow(
  { steady, unlocks_reset_ms: resetMs }: CreationRow,
  { needsSteadyUptime }: CommandPolicy,
): Creation {
  if (needsSteadyUptime && !steady) {
    return { refusal: 'uptime_fell' };
  }
  return resetMs === null ? { refusal: 'queue_full' } : { refusal: 'unlocked_too_often', resetMs };
}

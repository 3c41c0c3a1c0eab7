import { Injectable } from '@nestjs/common';
import { type AckStatus, type CommandLane, type CommandName, type CommandState } from '../../../contracts/commands.js';
import { type LinkKind } from '../../../contracts/devices.js';
import { Database } from '../../../platform/prisma/database.js';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { HAS_TOKEN } from '../../devices/devices.types.js';
import { CHANGE_COLUMNS, type ChangeRow, IN_FLIGHT, toChange } from '../commands.rows.js';
import { type CommandChange } from '../commands.types.js';
import { type AckedState, commandMachine } from '../domain/command-machine.js';

/** What a device added to its ack, after validation. */
export interface AckDetails {
  result?: Record<string, unknown> | undefined;
  errorCode?: string | undefined;
  errorMessage?: string | undefined;
}

/** The state of a command that an ack reports. */
export interface AckTransition {
  deviceId: string;
  /** How the device said it. */
  link: LinkKind;
  commandId: string;
  to: AckedState;
  details: AckDetails;
}

/** What an ack names, as it is now. */
export interface AckTarget {
  readonly commandId: string;
  readonly deviceId: string;
  /** Null: no command of this device. */
  readonly state: CommandState | null;
  /** Whether the device may talk to us. */
  readonly hasToken: boolean;
}

/** Every transition that an ack may cause. */
const TRANSITIONS = (['RECEIVED', 'EXECUTING', 'EXECUTED', 'FAILED'] as const satisfies readonly AckedState[]).flatMap(
  (to) => commandMachine.predecessors(to).map((from) => ({ from, to })),
);

/** A command in flight that was sent to an earlier boot of its device. */
export interface EarlierBootCommand {
  id: string;
  name: CommandName;
  lane: CommandLane;
  payload: unknown;
  /** What the device runs now. */
  firmwareVersion: string | undefined;
  /** How it came back. */
  link: LinkKind;
}

/** The outcome of a command whose device has restarted. */
export interface RestartOutcome {
  id: string;
  state: Extract<CommandState, 'EXECUTED' | 'TIMED_OUT'>;
  errorCode: string | null;
  errorMessage: string | null;
}

/** What devices say of their orders: acks, and reports that show the outcome. */
@Injectable()
export class AcknowledgementRepository {
  constructor(private readonly database: Database) {}

  /** Applies one ack. @returns null when the state of the command does not allow the transition */
  async applyAck({ deviceId, commandId, to, details }: AckTransition): Promise<CommandChange | null> {
    const terminal = commandMachine.isTerminal(to);
    // SQL: database time
    const [row] = await this.database.query<ChangeRow>(
      'commands_apply_ack',
      `UPDATE commands c
       SET state = $3, received_at = coalesce(c.received_at, clock_timestamp()),
         finished_at = CASE WHEN $5 THEN clock_timestamp() END,
         confirmed_by = CASE WHEN $5 AND c.confirmed_by = 'none' THEN 'ack' ELSE c.confirmed_by END,
         result = $6, error_code = $7, error_message = $8, version = c.version + 1
       WHERE c.id = $1 AND c.device_id = $2 AND c.state = ANY ($4::command_state[])
         AND EXISTS (SELECT FROM devices d WHERE d.id = c.device_id AND ${HAS_TOKEN})
       RETURNING ${CHANGE_COLUMNS}`,
      [
        commandId,
        deviceId,
        to,
        commandMachine.predecessors(to),
        terminal,
        details.result === undefined ? null : JSON.stringify(details.result),
        details.errorCode ?? null,
        details.errorMessage ?? null,
      ],
    );
    return row ? toChange(row) : null;
  }

  /**
   * Applies many acks, at most one of each device for a command. It skips rows that another transaction has locked:
   * waiting for them while it holds locks of its own could deadlock. A command that did not change is missing from the
   * answer, for whatever reason; use {@link applyAck} for it.
   */
  async applyAcks(acks: readonly AckTransition[]): Promise<CommandChange[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<ChangeRow>(
      'commands_apply_acks',
      `WITH w AS (
         SELECT * FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'uuid')}, ${arrayParam(3, 'command_state')}, ${arrayParam(4, 'boolean')},
           ${arrayParam(5, 'jsonb')}, ${arrayParam(6, 'text')}, ${arrayParam(7, 'text')}) AS w(id, device_id, state, terminal, result, error_code, error_message)
       ), held AS MATERIALIZED (
         SELECT c.id FROM commands c JOIN w ON w.id = c.id JOIN devices d ON d.id = c.device_id
         WHERE c.device_id = w.device_id AND ${HAS_TOKEN} FOR UPDATE OF c SKIP LOCKED
       )
       UPDATE commands c
       SET state = w.state, received_at = coalesce(c.received_at, clock_timestamp()),
         finished_at = CASE WHEN w.terminal THEN clock_timestamp() END,
         confirmed_by = CASE WHEN w.terminal AND c.confirmed_by = 'none' THEN 'ack' ELSE c.confirmed_by END,
         result = w.result, error_code = w.error_code, error_message = w.error_message, version = c.version + 1
       FROM w JOIN held ON held.id = w.id
       WHERE c.id = w.id AND c.device_id = w.device_id
         AND (c.state, w.state) IN (SELECT * FROM unnest(${arrayParam(8, 'command_state')}, ${arrayParam(9, 'command_state')}))
       RETURNING ${CHANGE_COLUMNS}`,
      [
        acks.map(({ commandId }) => commandId),
        acks.map(({ deviceId }) => deviceId),
        acks.map(({ to }) => to),
        acks.map(({ to }) => commandMachine.isTerminal(to)),
        acks.map(({ details }) => (details.result === undefined ? null : JSON.stringify(details.result))),
        acks.map(({ details }) => details.errorCode ?? null),
        acks.map(({ details }) => details.errorMessage ?? null),
        TRANSITIONS.map(({ from }) => from),
        TRANSITIONS.map(({ to }) => to),
      ],
    );
    return rows.map(toChange);
  }

  /** The states of these commands where they are of the device that speaks of them, and whether it may. */
  async listTargets(acks: readonly Pick<AckTransition, 'deviceId' | 'commandId'>[]): Promise<AckTarget[]> {
    // SQL: a set-based batch
    return this.database.query<AckTarget & Record<string, unknown>>(
      'commands_targets_of_acks',
      `SELECT w.id AS "commandId", w.device_id AS "deviceId", c.state, d.id IS NOT NULL AND ${HAS_TOKEN} AS "hasToken"
       FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'uuid')}) AS w(id, device_id)
       LEFT JOIN devices d ON d.id = w.device_id
       LEFT JOIN commands c ON c.id = w.id AND c.device_id = w.device_id`,
      [acks.map(({ commandId }) => commandId), acks.map(({ deviceId }) => deviceId)],
    );
  }

  /** The state of a command of this device, locked until the transaction ends. */
  async lockState(deviceId: string, id: string): Promise<CommandState | null> {
    // SQL: a lock
    const [row] = await this.database.query<{ state: CommandState }>(
      'commands_lock_state',
      `SELECT c.state FROM commands c JOIN devices d ON d.id = c.device_id
       WHERE c.id = $1 AND c.device_id = $2 AND ${HAS_TOKEN} FOR UPDATE OF c`,
      [id, deviceId],
    );
    return row?.state ?? null;
  }

  /** Records the first verdict that came after TIMED_OUT. @returns null when there is one already */
  async recordLateResult(id: string, verdict: AckDetails & { status: AckStatus }): Promise<CommandChange | null> {
    // SQL: database time
    const [row] = await this.database.query<ChangeRow>(
      'commands_late_result',
      `UPDATE commands c
       SET late_result = $2::jsonb || jsonb_build_object(
           'receivedAt', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
         ),
         confirmed_by = CASE WHEN c.confirmed_by = 'none' THEN 'ack' ELSE c.confirmed_by END, version = c.version + 1
       WHERE c.id = $1 AND c.state = 'TIMED_OUT' AND c.late_result IS NULL
       RETURNING ${CHANGE_COLUMNS}`,
      [id, JSON.stringify(verdict)],
    );
    return row ? toChange(row) : null;
  }

  /**
   * Marks a command as confirmed by the device's report of its bolt: the command that the report names, or else the last
   * one sent to this boot within `withinMs`, if `names` has its name. @returns the id of the command; null when none
   * changed
   */
  async confirmByReport(report: {
    deviceId: string;
    boot: string;
    commandId: string | null;
    names: readonly CommandName[];
    withinMs: number;
  }): Promise<string | null> {
    // SQL: database time
    const [row] = await this.database.query<{ id: string }>(
      'commands_confirm',
      `UPDATE commands c SET confirmed_by = 'state_report', version = c.version + 1
       WHERE c.device_id = $1 AND c.lane = 'bolt' AND c.boot = $5
         AND c.id = coalesce($2::uuid, (
           SELECT l.id FROM commands l
           WHERE l.device_id = $1 AND l.lane = 'bolt' AND l.created_at > clock_timestamp() - interval '25 hours'
             AND l.sent_at > clock_timestamp() - $4 * interval '1 millisecond'
           ORDER BY l.counter DESC LIMIT 1
         ))
         AND c.name = ANY ($3::text[]) AND c.confirmed_by <> 'state_report'
         AND c.state IN ('SENT', 'RECEIVED', 'EXECUTING', 'EXECUTED', 'TIMED_OUT')
       RETURNING c.id`,
      [report.deviceId, report.commandId, report.names, report.withinMs, report.boot],
    );
    return row?.id ?? null;
  }

  /**
   * Locks the commands in flight that were sent to an earlier boot of the device than the current one. With `boot`, only
   * if that is the current one: an old report must not settle a new order.
   */
  async lockOfEarlierBoots(deviceId: string, boot: string | null = null): Promise<EarlierBootCommand[]> {
    // SQL: a lock
    const rows = await this.database.query<
      Omit<EarlierBootCommand, 'firmwareVersion'> & { firmware_version: string | null }
    >(
      'commands_of_earlier_boots',
      `SELECT c.id, c.name, c.lane, c.payload, d.firmware_version, coalesce((
         SELECT l.kind FROM device_links l WHERE l.device_id = d.id AND l.boot = d.boot ORDER BY l.connected_at DESC LIMIT 1
       ), 'mqtt') AS link
       FROM commands c JOIN devices d ON d.id = c.device_id
       WHERE c.device_id = $1 AND c.boot <> d.boot AND ($2::text IS NULL OR d.boot = $2) AND ${IN_FLIGHT}
       ORDER BY c.id FOR UPDATE OF c`,
      [deviceId, boot],
    );
    return rows.map(({ firmware_version: firmwareVersion, ...row }) => ({
      ...row,
      firmwareVersion: firmwareVersion ?? undefined,
    }));
  }

  /** Settles a command of an earlier boot, which this transaction has locked. */
  async settleOfEarlierBoot(outcome: RestartOutcome): Promise<CommandChange> {
    // SQL: database time
    const [row] = await this.database.query<ChangeRow>(
      'commands_settle_of_earlier_boot',
      `UPDATE commands c
       SET state = $2, error_code = $3, error_message = $4, finished_at = clock_timestamp(), version = c.version + 1,
         confirmed_by = CASE WHEN $2 = 'EXECUTED'::command_state THEN 'state_report' ELSE c.confirmed_by END
       WHERE c.id = $1 AND ${IN_FLIGHT}
       RETURNING ${CHANGE_COLUMNS}`,
      [outcome.id, outcome.state, outcome.errorCode, outcome.errorMessage],
    );
    if (!row) {
      throw new Error('A command of an earlier boot changed although it was locked.');
    }
    return toChange(row);
  }
}

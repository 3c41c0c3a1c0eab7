import { Injectable } from '@nestjs/common';
import { type AckStatus, type CommandLane, type CommandName, type CommandState } from '../../contracts/commands.js';
import { Database } from '../../platform/prisma/database.js';
import { arrayParam } from '../../platform/prisma/array-param.js';
import { CHANGE_COLUMNS, type ChangeRow, IN_FLIGHT, toChange } from './commands.rows.js';
import { type CommandChange } from './commands.types.js';
import { type AckedState, commandMachine } from './domain/command-machine.js';

/** What a device said of a command, after validation. */
export interface Verdict {
  result?: Record<string, unknown> | undefined;
  errorCode?: string | undefined;
  errorMessage?: string | undefined;
}

/** One device's word on one command. */
export interface Word {
  deviceId: string;
  id: string;
  to: AckedState;
  verdict: Verdict;
}

/** Every step that a device's word may take a command. */
const MOVES = (['RECEIVED', 'EXECUTING', 'EXECUTED', 'FAILED'] as const satisfies readonly AckedState[]).flatMap((to) =>
  commandMachine.predecessors(to).map((from) => ({ from, to })),
);

/** A command on its way to an earlier start of its device. */
export interface Orphan {
  id: string;
  name: CommandName;
  lane: CommandLane;
  payload: unknown;
  /** What the device runs now. */
  firmwareVersion: string | undefined;
}

interface OrphanRow {
  id: string;
  name: CommandName;
  lane: CommandLane;
  payload: unknown;
  firmware_version: string | null;
}

/** The outcome of a command whose device started anew. */
export interface RestartOutcome {
  id: string;
  state: Extract<CommandState, 'EXECUTED' | 'TIMED_OUT'>;
  errorCode: string | null;
  errorMessage: string | null;
}

/** What became of an order: verdicts, evidence, silence. */
@Injectable()
export class AcknowledgementRepository {
  constructor(private readonly database: Database) {}

  /** Moves a command of this device forward; null when it is not in a state from which `to` can be reached. */
  async move(deviceId: string, id: string, to: CommandState, verdict: Verdict): Promise<CommandChange | null> {
    const terminal = commandMachine.isTerminal(to);
    const [row] = await this.database.query<ChangeRow>(
      'commands_move',
      `UPDATE commands c
       SET state = $3, received_at = coalesce(c.received_at, clock_timestamp()),
         finished_at = CASE WHEN $5 THEN clock_timestamp() END,
         confirmed_by = CASE WHEN $5 AND c.confirmed_by = 'none' THEN 'ack' ELSE c.confirmed_by END,
         result = $6, error_code = $7, error_message = $8, version = c.version + 1
       WHERE c.id = $1 AND c.device_id = $2 AND c.state = ANY ($4::command_state[])
       RETURNING ${CHANGE_COLUMNS}`,
      [
        id,
        deviceId,
        to,
        commandMachine.predecessors(to),
        terminal,
        verdict.result === undefined ? null : JSON.stringify(verdict.result),
        verdict.errorCode ?? null,
        verdict.errorMessage ?? null,
      ],
    );
    return row ? toChange(row) : null;
  }

  /**
   * Moves many commands forward, one word for each. It does not wait for a row that somebody else holds: with locks of
   * its own on the others, it would wait in an order that nobody keeps to. What it did not move is missing from the
   * answer, for whatever reason; ask for that again, alone.
   */
  async moveMany(words: readonly Word[]): Promise<CommandChange[]> {
    const rows = await this.database.query<ChangeRow>(
      'commands_move_many',
      `WITH w AS (
         SELECT * FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'uuid')}, ${arrayParam(3, 'command_state')}, ${arrayParam(4, 'boolean')},
           ${arrayParam(5, 'jsonb')}, ${arrayParam(6, 'text')}, ${arrayParam(7, 'text')}) AS w(id, device_id, state, terminal, result, error_code, error_message)
       ), held AS MATERIALIZED (
         SELECT c.id FROM commands c JOIN w ON w.id = c.id WHERE c.device_id = w.device_id FOR UPDATE OF c SKIP LOCKED
       )
       UPDATE commands c
       SET state = w.state, received_at = coalesce(c.received_at, clock_timestamp()),
         finished_at = CASE WHEN w.terminal THEN clock_timestamp() END,
         confirmed_by = CASE WHEN w.terminal AND c.confirmed_by = 'none' THEN 'ack' ELSE c.confirmed_by END,
         result = w.result, error_code = w.error_code, error_message = w.error_message, version = c.version + 1
       FROM w JOIN held ON held.id = w.id
       WHERE c.id = w.id AND (c.state, w.state) IN (SELECT * FROM unnest(${arrayParam(8, 'command_state')}, ${arrayParam(9, 'command_state')}))
       RETURNING ${CHANGE_COLUMNS}`,
      [
        words.map(({ id }) => id),
        words.map(({ deviceId }) => deviceId),
        words.map(({ to }) => to),
        words.map(({ to }) => commandMachine.isTerminal(to)),
        words.map(({ verdict }) => (verdict.result === undefined ? null : JSON.stringify(verdict.result))),
        words.map(({ verdict }) => verdict.errorCode ?? null),
        words.map(({ verdict }) => verdict.errorMessage ?? null),
        MOVES.map(({ from }) => from),
        MOVES.map(({ to }) => to),
      ],
    );
    return rows.map(toChange);
  }

  /** The state of a command of this device, locked until the transaction ends. */
  async lockState(deviceId: string, id: string): Promise<CommandState | null> {
    const [row] = await this.database.query<{ state: CommandState }>(
      'commands_lock_state',
      `SELECT c.state FROM commands c WHERE c.id = $1 AND c.device_id = $2 FOR UPDATE`,
      [id, deviceId],
    );
    return row?.state ?? null;
  }

  /** Keeps the first verdict that came after TIMED_OUT beside it; null when there is one already. */
  async keepLateResult(id: string, verdict: Verdict & { status: AckStatus }): Promise<CommandChange | null> {
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
   * Notes that the device's own report of its bolt agrees with what a command of the same boot asked for: the command it
   * names, or else the last one sent to it within `withinMs`. @returns the id of the command, if one was raised.
   */
  async confirmByReport(report: {
    deviceId: string;
    boot: string;
    commandId: string | null;
    names: readonly CommandName[];
    withinMs: number;
  }): Promise<string | null> {
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
   * Commands on their way to an earlier start of the device than the present one, locked. With `boot`, only if that is
   * the present one: an old report must not settle a new order.
   */
  async lockOrphans(deviceId: string, boot: string | null = null): Promise<Orphan[]> {
    const rows = await this.database.query<OrphanRow>(
      'commands_orphans',
      `SELECT c.id, c.name, c.lane, c.payload, d.firmware_version
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

  /** Settles an orphan that this transaction has locked. */
  async settleOrphan(outcome: RestartOutcome): Promise<CommandChange> {
    const [row] = await this.database.query<ChangeRow>(
      'commands_settle_orphan',
      `UPDATE commands c
       SET state = $2, error_code = $3, error_message = $4, finished_at = clock_timestamp(), version = c.version + 1,
         confirmed_by = CASE WHEN $2 = 'EXECUTED'::command_state THEN 'state_report' ELSE c.confirmed_by END
       WHERE c.id = $1 AND ${IN_FLIGHT}
       RETURNING ${CHANGE_COLUMNS}`,
      [outcome.id, outcome.state, outcome.errorCode, outcome.errorMessage],
    );
    if (!row) {
      throw new Error('An orphan changed although it was locked.');
    }
    return toChange(row);
  }

  /** Whether silence or a deadline has to be acted upon. One look, no locks. */
  async findOverdue(): Promise<{ expired: boolean; silent: boolean }> {
    const [row] = await this.database.query<{ expired: boolean; silent: boolean }>(
      'commands_overdue',
      `SELECT EXISTS (SELECT 1 FROM commands c WHERE c.state = 'QUEUED' AND c.expires_at <= clock_timestamp()) AS expired,
         EXISTS (SELECT 1 FROM commands c WHERE ${IN_FLIGHT} AND c.timeout_at <= clock_timestamp()) AS silent`,
    );
    return row ?? { expired: false, silent: false };
  }

  /** QUEUED to EXPIRED, oldest deadline first. */
  async expireOverdue(limit: number): Promise<CommandChange[]> {
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

  /** In flight to TIMED_OUT, longest silence first. */
  async timeOutSilent(limit: number): Promise<CommandChange[]> {
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

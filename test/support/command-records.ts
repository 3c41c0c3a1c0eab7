import pg from 'pg';
import { type Order } from '../../src/contracts/orders.js';
import { type Actuation } from '../../tools/virtual-lock/actuation-journal.js';
import { eventually } from './wait.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';

export interface CommandRecord {
  readonly id: string;
  readonly deviceId: string;
  readonly name: string;
  readonly state: string;
  /** Why it FAILED or EXPIRED. */
  readonly errorCode: string | null;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly sentAt: Date | null;
  readonly finishedAt: Date | null;
  /** What was signed for it; null when it was never sent. */
  readonly order: Order | null;
}

const TERMINAL = ['EXECUTED', 'FAILED', 'TIMED_OUT', 'EXPIRED', 'CANCELLED'];

/** The rows of `commands`, read past the application. */
export class CommandRecords {
  private constructor(private readonly client: pg.Client) {}

  static async open(databaseUrl: string): Promise<CommandRecords> {
    const client = new pg.Client({ connectionString: utcConnection(databaseUrl) });
    await client.connect();
    return new CommandRecords(client);
  }

  async entries(): Promise<CommandRecord[]> {
    const { rows } = await this.client.query<Omit<CommandRecord, 'order'> & { order: string | null }>(
      `SELECT id, device_id AS "deviceId", name, state, error_code AS "errorCode", attempts, created_at AS "createdAt", sent_at AS "sentAt", finished_at AS "finishedAt", "order"
       FROM commands ORDER BY created_at`,
    );
    return rows.map((row) => ({ ...row, order: row.order === null ? null : (JSON.parse(row.order) as Order) }));
  }

  /** Waits until nothing is open any more, of these devices where they are given. */
  async settled(limitMs: number, deviceIds: readonly string[] | null = null): Promise<CommandRecord[]> {
    await eventually(
      'every command reaches a terminal state',
      async () => {
        const { rowCount } = await this.client.query(
          `SELECT 1 FROM commands WHERE state <> ALL ($1::command_state[]) AND ($2::uuid[] IS NULL OR device_id = ANY ($2)) LIMIT 1`,
          [TERMINAL, deviceIds],
        );
        return rowCount === 0;
      },
      limitMs,
    );
    return this.entries();
  }

  close(): Promise<void> {
    return this.client.end();
  }
}

/** `3 EXECUTED, 1 EXPIRED (deadline)`. */
export function countStates(entries: readonly CommandRecord[]): string {
  const counts = new Map<string, number>();
  entries.forEach(({ state, errorCode }) => {
    const outcome = errorCode === null ? state : `${state} (${errorCode})`;
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  });
  return [...counts].map(([state, count]) => `${String(count)} ${state}`).join(', ');
}

/** Differences between the movements of the locks and their orders. If one is not empty, a promise is broken. */
export interface Discrepancies {
  /** Moved more than once for one command. */
  readonly twice: string[];
  /** Moved at or past the deadline that was signed. */
  readonly late: string[];
  /** Moved for a command that is not in the database, was never sent, or was for another lock or start. */
  readonly unordered: string[];
  /** EXECUTED in the database, and nothing moved. */
  readonly unmoved: string[];
}

/** Compares the commands with the actuation journals of the locks, by device id. */
export function compare(
  commands: readonly CommandRecord[],
  actuations: ReadonlyMap<string, readonly Actuation[]>,
): Discrepancies {
  const orders = new Map(commands.map((entry) => [entry.id, entry]));
  const moves = [...actuations].flatMap(([deviceId, list]) =>
    list
      .filter(({ action }) => action !== 'auto_lock')
      .map((move) => ({ ...move, deviceId, order: orders.get(move.commandId)?.order })),
  );
  const times = new Map<string, number>();
  moves.forEach(({ commandId }) => times.set(commandId, (times.get(commandId) ?? 0) + 1));
  return {
    twice: [...times].filter(([, count]) => count > 1).map(([id]) => id),
    late: moves
      .filter(({ order, uptimeMs }) => order && uptimeMs >= order.expiresAtUptimeMs)
      .map(({ commandId }) => commandId),
    unordered: moves
      .filter(({ order, deviceId, boot }) => order?.deviceId !== deviceId || order.boot !== boot)
      .map(({ commandId }) => commandId),
    unmoved: commands.filter(({ id, state }) => state === 'EXECUTED' && !times.has(id)).map(({ id }) => id),
  };
}

export const NO_DISCREPANCIES: Discrepancies = { twice: [], late: [], unordered: [], unmoved: [] };

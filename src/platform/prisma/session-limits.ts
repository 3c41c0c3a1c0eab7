import type pg from 'pg';
import { DeadlineExceededError, within } from '../../shared/deadline.js';
import { EndingClient } from './ending-client.js';

/** A server gives up an open transaction after this time whatever its state. Longer than ours may take with its rollback. */
const TRANSACTION_TIMEOUT_MS = 12_000;
/** When a connection has been idle for so long, the system begins to ask whether the other side is still there. */
export const SESSION_KEEP_ALIVE_AFTER_MS = 5_000;

/**
 * What the server does about a client that has disappeared without a word. `transaction_timeout` (PostgreSQL 17) is the only
 * limit that holds for a client which disappeared in the middle of a request: the server waits for the rest of it, the
 * transaction counts neither as idle nor as a running statement, and it keeps its locks and the event log's horizon.
 * The keep-alive ends the session of a client whose host is gone, and with it a lock that such a session holds.
 */
const SERVER_LIMITS = {
  tcp_keepalives_idle: SESSION_KEEP_ALIVE_AFTER_MS / 1_000,
  tcp_keepalives_interval: 2,
  tcp_keepalives_count: 3,
} as const;

/** To compile a statement may take PostgreSQL longer than the statement does: ours are short. */
const NOT_COMPILED = { jit: 'off' } as const;

// SQL: settings of the session; those that this server does not know are left out
const SET_LIMITS = `
  SELECT set_config(name, value, false)
    FROM unnest($1::text[], $2::text[]) AS wanted(name, value)
    JOIN pg_settings USING (name)`;

export interface SessionLimits {
  /** Longer than its longest transaction. */
  readonly transactionTimeoutMs?: number;
  /** How long the server keeps what the client does not take: also of a client that is there, and busy. */
  readonly untakenForMs?: number;
}

/** Sets the limits of a new session, before any other statement: they are answered in the order in which they were sent. */
export function limitSession(
  client: pg.ClientBase,
  { transactionTimeoutMs = TRANSACTION_TIMEOUT_MS, untakenForMs = TRANSACTION_TIMEOUT_MS }: SessionLimits = {},
): void {
  const settings = {
    ...SERVER_LIMITS,
    ...NOT_COMPILED,
    tcp_user_timeout: untakenForMs,
    transaction_timeout: transactionTimeoutMs,
  };
  const values = [Object.keys(settings), Object.values(settings).map(String)];
  // A connection on which this fails fails on the next statement as well, or is protected by the other limits alone.
  client.query(SET_LIMITS, values).catch(() => undefined);
}

/**
 * Asks what a new connection is asked before it is used, within what is left of its time for connecting, in milliseconds. One
 * that does not answer is destroyed: its goodbye is not waited for.
 */
export async function askFirst(client: pg.ClientBase, limitMs: number, ask: () => Promise<void>): Promise<void> {
  const tookMs = client instanceof EndingClient ? performance.now() - client.madeAt : 0;
  try {
    await within(Math.max(0, limitMs - tookMs), ask());
  } catch (error) {
    if (error instanceof DeadlineExceededError && client instanceof EndingClient) {
      client.connection.stream.destroy();
    }
    throw error;
  }
}

/** Whether `error` is a violated unique constraint (SQLSTATE 23505), seen through Prisma or through SQL. */
export function isUniqueViolation(error: unknown, column?: string): boolean {
  if (!(error instanceof Error)) {
    return false;
  }
  const { code, constraint, meta } = error as Error & { code?: string; constraint?: string; meta?: unknown };
  if (code !== 'P2002' && code !== '23505') {
    return false;
  }
  return column === undefined || JSON.stringify([constraint, meta]).includes(column);
}

/**
 * SQLSTATE: no connection (08), out of connections, memory or disk (53), a statement or transaction that took too long
 * (57014, 25P03, 25P04, 55P03), the server ends or starts (57P01 to 57P05), a standby after a switch-over (25006), and
 * conflicts of which one had to give way (40001, 40P01).
 */
const PASSING_STATE = /^(?:08\w{3}|53\w{3}|57014|57P0[1-5]|25P0[34]|25006|55P03|40001|40P01)$/;
/** Prisma: not reached, timed out, closed, no connection free, no transaction in time, a conflict, too many connections. */
const PASSING_CODES = ['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'];
/** The network on the way to the server. */
const NETWORK =
  /^(?:ECONN(?:REFUSED|RESET|ABORTED)|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|E(?:HOST|NET)(?:UNREACH|DOWN))$/;
/** Of Prisma's driver adapter, which keeps no code of what happened on the network. */
const PASSING_KINDS = [
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
  'TransactionWriteConflict',
];
/** Errors that pg gives no code: no connection free in time, one that broke, or one that is being closed. */
const WITHOUT_CODE =
  /^(?:timeout exceeded when trying to connect|Connection terminated|Client (?:has encountered a connection error|was closed)|Cannot use a pool after calling end|Query read timeout)/;
/** Errors wrap each other a few times, and one that wraps itself must not be followed for ever. */
const MAX_DEPTH = 6;

interface ErrorLink {
  readonly code?: unknown;
  readonly originalCode?: unknown;
  readonly kind?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
  readonly meta?: { readonly driverAdapterError?: unknown };
}

/**
 * Whether `error`, or what it wraps, says that PostgreSQL is away, full or too slow at this moment, through SQL or through
 * Prisma. It says nothing of the request: the same one may succeed a moment later.
 */
export function isDatabaseUnavailable(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) {
    return false;
  }
  const { code, originalCode, kind, message, cause, errors, meta } = error as ErrorLink;
  return (
    [code, originalCode].some(isPassing) ||
    PASSING_KINDS.some((known) => known === kind) ||
    WITHOUT_CODE.test(String(message)) ||
    [cause, meta?.driverAdapterError, ...(Array.isArray(errors) ? (errors as unknown[]) : [])].some((inner) =>
      isDatabaseUnavailable(inner, depth + 1),
    )
  );
}

function isPassing(code: unknown): boolean {
  return typeof code === 'string' && (PASSING_STATE.test(code) || NETWORK.test(code) || PASSING_CODES.includes(code));
}

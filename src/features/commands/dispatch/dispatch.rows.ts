import { type CommandName, type CommandPayloads } from '../../../contracts/commands.js';
import { type LinkKind } from '../../../contracts/devices.js';
import { type SignedOrder } from '../../../contracts/orders.js';
import { AWAKE_S, HAS_ORDER_LINK, HAS_TOKEN } from '../../devices/devices.types.js';
import { canActSql } from '../../users/account-standing.types.js';
import { type ChangeRow, IN_FLIGHT, toChange, unlockRestricted } from '../commands.rows.js';
import { type CommandChange } from '../commands.types.js';
import { COMMAND_POLICIES } from '../domain/command-policy.js';
import { type UptimeReport } from '../domain/order.js';

/** The command to send next to a device. The device is locked until the transaction ends. */
export interface NextCommand {
  id: string;
  deviceId: string;
  /** Null when the account cannot act. */
  issuerId: string | null;
  name: CommandName;
  payload: CommandPayloads[CommandName];
  expiresAt: Date;
  ownerId: string;
  /** The next counter of this device. */
  counter: number;
  clock: UptimeReport;
  /** False: the uptime fell within one boot. */
  steady: boolean;
  /** On the database clock. */
  now: Date;
  /** Whether a command waits in the other lane too. */
  othersWait: boolean;
  /** The links of the boot that the order is for, the best one first. */
  links: readonly LinkKind[];
}

export type NextRow = Pick<
  ChangeRow,
  'id' | 'device_id' | 'issuer_id' | 'name' | 'payload' | 'expires_at' | 'owner_id'
> & {
  order_counter: string;
  boot: string;
  boot_uptime_ms: string;
  boot_reported_at: Date;
  steady: boolean;
  now: Date;
  others_wait: boolean;
  links: readonly LinkKind[];
};

/** A command with its signed order, before it is recorded as sent. */
export interface OrderToSend {
  next: NextCommand;
  signed: SignedOrder;
  /** Milliseconds from sending until silence becomes TIMED_OUT. */
  timeoutMs: number;
}

/** An order that may be published. */
export interface Transmission {
  command: CommandChange;
  signed: SignedOrder;
  /** The links of the boot that the order is for, the best one first. */
  links: readonly LinkKind[];
  /** Milliseconds left to publish it, from the moment the database answered. */
  remainingMs: number;
}

export interface TransmissionRow extends ChangeRow {
  order: string;
  kid: string;
  signature: string;
  links: readonly LinkKind[];
  remaining_ms: string;
}

/** SQL: a link `l` was not heard for one and a half heartbeats: it may not be taken for alive. */
const IS_STALE = `l.last_seen_at < now() - interval '${String(AWAKE_S)} s'`;

/**
 * The links of a device `d` on which its present boot may be reached, of the kinds that orders are sent over: those that are not
 * stale first, MQTT before a socket among them, and then the one that was heard last.
 */
export const LINKS = `ARRAY (
  SELECT l.kind::text FROM device_links l WHERE l.device_id = d.id AND l.boot = d.boot AND l.kind IN ('mqtt', 'websocket')
  ORDER BY ${IS_STALE}, CASE WHEN ${IS_STALE} THEN l.last_seen_at END DESC, l.kind
)`;

/** For `RETURNING` of a statement that sends commands `c` again. */
export const ORDER_COLUMNS = `c."order", c.kid, c.signature, (SELECT ${LINKS} FROM devices d WHERE d.id = c.device_id) AS links,
  extract(epoch FROM least(c.expires_at, c.timeout_at) - clock_timestamp()) * 1000 AS remaining_ms`;

/** An account that cannot act has no right to a command, and one that must not unlock has none to that. */
const RIGHTFUL = `SELECT u.id FROM users u
  WHERE u.id = c.issuer_id AND ${canActSql('u')} AND (${unlockRestricted('c')}) IS NOT TRUE`;

export const ISSUER = `(${RIGHTFUL}) AS issuer_id`;

const STEADY_ONLY = Object.entries(COMMAND_POLICIES).filter(([, policy]) => policy.needsSteadyUptime);
const STEADY_NAMES = STEADY_ONLY.map(([name]) => `'${name}'`).join(', ');

/**
 * The device is connected with the boot that the order was made for, has a token and time left to carry it out, and no
 * uptime that fell or became unknown meanwhile where that matters; the account of the issuer still has a right to it.
 */
export const STILL_VALID = `${IN_FLIGHT} AND clock_timestamp() < least(c.expires_at, c.timeout_at)
  AND EXISTS (${RIGHTFUL})
  AND EXISTS (SELECT 1 FROM devices d WHERE d.id = c.device_id AND d.boot = c.boot
    AND ${HAS_ORDER_LINK} AND ${HAS_TOKEN} AND (d.uptime_fell_at IS NULL AND d.boot_reported_at IS NOT NULL OR c.name NOT IN (${STEADY_NAMES})))`;

export function toNext(row: NextRow): NextCommand {
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
    steady: row.steady,
    now: row.now,
    othersWait: row.others_wait,
    links: row.links,
  };
}

export function toTransmission(row: TransmissionRow): Transmission {
  return {
    command: toChange(row),
    signed: { order: row.order, kid: row.kid, signature: row.signature },
    links: row.links,
    remainingMs: Number(row.remaining_ms),
  };
}

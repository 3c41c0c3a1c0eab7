import { COMMAND_NAMES, SNAPSHOT_QUALITIES, type CommandName } from '../../src/contracts/commands.js';
import type { Order } from '../../src/contracts/orders.js';
import { hasOnly, isObject, isWellFormed, parseStrictJson, type MemberCheck } from './strict-json.js';

/** An order whose command and payload have been checked too. */
export type KnownOrder = { [N in CommandName]: Order<N> }[CommandName];

/** An order of the right shape, for a command that this lock may not know. */
export type ParsedOrder = Omit<Order, 'name' | 'payload'> & { name: string; payload: Record<string, unknown> };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SHA256_HEX = /^[0-9a-f]{64}$/;
const WEB_ADDRESS = /^https?:\/\/\S+$/;

const textUpTo =
  (max: number): MemberCheck =>
  (value) =>
    typeof value === 'string' && value.length > 0 && value.length <= max && isWellFormed(value);
const integer =
  (min: number, max: number): MemberCheck =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
const matching =
  (pattern: RegExp, max: number): MemberCheck =>
  (value) =>
    typeof value === 'string' && value.length <= max && pattern.test(value);

/** Lower case only: an id must have one spelling, or a repeated order could pass for a new one. */
export const isUuid = (value: unknown): value is string => typeof value === 'string' && UUID.test(value);

const ORDER_MEMBERS: Record<keyof Order, MemberCheck> = {
  commandId: isUuid,
  name: textUpTo(64),
  payload: isObject,
  deviceId: isUuid,
  boot: textUpTo(64),
  counter: integer(1, Number.MAX_SAFE_INTEGER),
  expiresAtUptimeMs: integer(0, Number.MAX_SAFE_INTEGER),
  issuedAt: textUpTo(64),
  expiresAt: textUpTo(64),
};

const EMPTY = {};
const PAYLOADS: Record<CommandName, (payload: Record<string, unknown>) => boolean> = {
  lock_door: (payload) => hasOnly(payload, EMPTY),
  unlock_door: (payload) => hasOnly(payload, EMPTY, { durationMs: integer(1000, 30_000) }),
  request_snapshot: (payload) =>
    hasOnly(payload, EMPTY, { quality: (value) => SNAPSHOT_QUALITIES.some((quality) => quality === value) }),
  restart_device: (payload) => hasOnly(payload, EMPTY),
  firmware_update: (payload) =>
    hasOnly(payload, {
      version: textUpTo(64),
      url: matching(WEB_ADDRESS, 2048),
      sha256: matching(SHA256_HEX, 64),
      signature: textUpTo(1024),
    }),
  sync_access_codes: (payload) => hasOnly(payload, EMPTY),
};

/**
 * The order in this text. A member that we do not know makes it malformed: it could be a condition, and an order must
 * never be carried out without one of its conditions.
 */
export function parseOrder(text: string): ParsedOrder | undefined {
  const parsed = parseStrictJson(text);
  return parsed.ok && isShapedOrder(parsed.value) ? parsed.value : undefined;
}

/** The command id in an unverified text. Use it for an ack only, never for a decision. */
export function claimedCommandId(text: string): string | undefined {
  const parsed = parseStrictJson(text);
  const commandId = parsed.ok && isObject(parsed.value) ? parsed.value.commandId : undefined;
  return isUuid(commandId) ? commandId : undefined;
}

export function commandNamed(name: string): CommandName | undefined {
  return COMMAND_NAMES.find((known) => known === name);
}

export function isPayloadOf(name: CommandName, payload: Record<string, unknown>): boolean {
  return PAYLOADS[name](payload);
}

function isShapedOrder(value: unknown): value is ParsedOrder {
  return isObject(value) && hasOnly(value, ORDER_MEMBERS);
}

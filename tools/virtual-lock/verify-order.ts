import { verify } from 'node:crypto';
import type { RefusalCode } from '../../src/contracts/commands.js';
import type { AckMessage } from '../../src/contracts/mqtt.js';
import type { SignedOrder } from '../../src/contracts/orders.js';
import { decodeBase64Url } from './base64url.js';
import type { OrderKeys } from './order-keys.js';
import {
  claimedCommandId,
  commandNamed,
  isPayloadOf,
  parseOrder,
  type KnownOrder,
  type ParsedOrder,
} from './parse-order.js';
import { decodeUtf8, isObject, isWellFormed, parseStrictJson } from './strict-json.js';

/** What the lock said, or would say again, of one command. */
export type AckBody = Omit<AckMessage, 'commandId'>;

/** All that a decision about an order depends on, besides the order and the keys. */
export interface LockFacts {
  deviceId: string;
  boot: string;
  /** The highest counter accepted in this boot; 0 before the first. */
  lastCounter: number;
  uptimeMs: number;
  /** Whether the broker delivered the message with the retain flag. */
  retained: boolean;
  /** The answer to an order accepted earlier, also in an earlier boot. */
  answerTo: (commandId: string) => AckBody | undefined;
}

export type Verdict =
  | { kind: 'accepted'; order: KnownOrder }
  | { kind: 'repeat'; commandId: string; answer: AckBody }
  /** Undefined if the order has no readable id; then there is no ack. */
  | { kind: 'refused'; code: RefusalCode; commandId?: string };

const SIGNATURE_BYTES = 64;

/** The parts of a message on the `commands` channel. Members beside the three are unsigned and count for nothing. */
export function readSignedOrder(message: Uint8Array): SignedOrder | undefined {
  const text = decodeUtf8(message);
  const parsed = text === undefined ? undefined : parseStrictJson(text);
  if (!parsed?.ok || !isObject(parsed.value)) {
    return undefined;
  }
  const { order, kid, signature } = parsed.value;
  return typeof order === 'string' && typeof kid === 'string' && typeof signature === 'string'
    ? { order, kid, signature }
    : undefined;
}

/**
 * Decides about an order, in the sequence that docs/protocol.md lays down. No I/O, no clock, no memory of its own.
 * Before the signature holds, nothing inside the order counts.
 */
export function verifyOrder(signed: SignedOrder | undefined, keys: OrderKeys, facts: LockFacts): Verdict {
  const unauthentic = refuseUnauthentic(signed, keys, facts);
  if (unauthentic || !signed) {
    return refuseUnread(unauthentic ?? 'malformed_order', signed, facts);
  }
  const order = parseOrder(signed.order);
  if (!order) {
    return refuseUnread('malformed_order', signed, facts);
  }
  const { commandId } = order;
  if (order.deviceId !== facts.deviceId) {
    return { kind: 'refused', code: 'wrong_device', commandId };
  }
  const answer = facts.answerTo(commandId);
  if (answer) {
    return { kind: 'repeat', commandId, answer };
  }
  const code = refuseUntimely(order, facts) ?? refuseUnfit(order);
  return code ? { kind: 'refused', code, commandId } : { kind: 'accepted', order: order as KnownOrder };
}

/** Untrusted: any client of the broker may have written it. */
function refuseUnauthentic(
  signed: SignedOrder | undefined,
  keys: OrderKeys,
  facts: LockFacts,
): RefusalCode | undefined {
  if (facts.retained) {
    return 'retained_message';
  }
  if (!signed || !isWellFormed(signed.order)) {
    return 'malformed_order';
  }
  const key = keys.get(signed.kid);
  if (!key) {
    return 'unknown_key';
  }
  const signature = decodeBase64Url(signed.signature, SIGNATURE_BYTES);
  const holds = signature && verify(null, Buffer.from(signed.order, 'utf8'), key, signature);
  return holds ? undefined : 'bad_signature';
}

/** Replayed, reordered, or late. */
function refuseUntimely(order: ParsedOrder, facts: LockFacts): RefusalCode | undefined {
  if (order.boot !== facts.boot) {
    return 'wrong_boot';
  }
  if (order.counter <= facts.lastCounter) {
    return 'stale_counter';
  }
  return order.expiresAtUptimeMs <= facts.uptimeMs ? 'deadline_passed' : undefined;
}

function refuseUnfit(order: ParsedOrder): RefusalCode | undefined {
  const name = commandNamed(order.name);
  if (!name) {
    return 'unknown_command';
  }
  return isPayloadOf(name, order.payload) ? undefined : 'invalid_payload';
}

/**
 * A refusal of an order that we could not read. Its id is only a claim: it must not contradict what the lock already
 * said of that id.
 */
function refuseUnread(code: RefusalCode, signed: SignedOrder | undefined, facts: LockFacts): Verdict {
  const claimed = signed && claimedCommandId(signed.order);
  return claimed === undefined || facts.answerTo(claimed)
    ? { kind: 'refused', code }
    : { kind: 'refused', code, commandId: claimed };
}

import type { RefusalCode } from '../../src/contracts/commands.js';
import type { Order, OrderKey, SignedOrder } from '../../src/contracts/orders.js';
import { TestSigner } from './signer.js';
import type { AckBody, LockFacts } from './verify-order.js';

export type ExpectedVerdict =
  | { verdict: 'accepted'; commandId: string }
  | { verdict: 'repeat'; commandId: string; answer: AckBody }
  | { verdict: 'refused'; code: RefusalCode; commandId: string | null };

/** One message, and what the lock of the vector file says to it. */
export interface Vector {
  name: string;
  /** Payload of the MQTT message, as UTF-8 text. */
  message: string;
  retained: boolean;
  expect: ExpectedVerdict;
}

/** The file docs/protocol-vectors.json. */
export interface VectorFile {
  description: string;
  keys: OrderKey[];
  /** Published on purpose, so that others can make vectors of their own. Trust them in tests only. */
  privateKeys: (OrderKey & { d: string })[];
  lock: Pick<LockFacts, 'deviceId' | 'boot' | 'lastCounter' | 'uptimeMs'> & {
    /** Orders answered before, by their id. */
    answered: Record<string, AckBody>;
  };
  vectors: Vector[];
}

const FIRST = new TestSigner('mortise-test-1');
const SECOND = new TestSigner('mortise-test-2');
const STRANGER = new TestSigner('mortise-test-stranger');

const COMMAND = '0192a7c9-4e02-7b61-8f3d-5a90c1d2e3f4';
const ANSWERED = '0192a7c8-0d11-7c52-9a7e-33b8d4f5a6b7';
const ANSWER: AckBody = { status: 'executed', result: { lockState: 'unlocked' } };
const LOCK = {
  deviceId: '0192a7c4-5b1e-7d3a-9c40-2f6e8b1d7a55',
  boot: 'Zb3xQ7kT0pVw9sLr2NcYhA',
  lastCounter: 41,
  uptimeMs: 3_600_000,
};
const ORDER: Order<'unlock_door'> = {
  commandId: COMMAND,
  name: 'unlock_door',
  payload: { durationMs: 5000 },
  deviceId: LOCK.deviceId,
  boot: LOCK.boot,
  counter: 42,
  expiresAtUptimeMs: 3_612_000,
  issuedAt: '2026-03-01T08:30:00.000Z',
  expiresAt: '2026-03-01T08:30:15.000Z',
};
const TEXT = JSON.stringify(ORDER);
/** Order of the group that Ed25519 works in; adding it to S gives a second signature that lax verifiers accept. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** Always the same: nothing here is random, and Ed25519 signatures are not either. */
export function makeVectors(): VectorFile {
  return {
    description: 'Mortise device line, version 1: orders and what a lock says to them. See docs/protocol.md.',
    keys: [FIRST.publicJwk, SECOND.publicJwk],
    privateKeys: [FIRST.privateJwk, SECOND.privateJwk],
    lock: { ...LOCK, answered: { [ANSWERED]: ANSWER } },
    vectors: [...obeyed(), ...unauthentic(), ...malformed(), ...untimely(), ...unfit()],
  };
}

function obeyed(): Vector[] {
  return [
    accepted('a timed unlock', FIRST.sign(TEXT)),
    accepted('an unlock until further notice', FIRST.sign(withChange({ payload: {} }))),
    accepted('a lock order, signed with the second key', SECOND.sign(withChange({ name: 'lock_door', payload: {} }))),
    accepted('spaces, escapes and another sequence of members', FIRST.sign(spaciously())),
    accepted('an envelope with a member more', { ...FIRST.sign(TEXT), traceparent: '00-0-0-00' }),
    {
      name: 'an id that was answered before, although its boot and counter are old',
      message: JSON.stringify(FIRST.sign(withChange({ commandId: ANSWERED, boot: 'an-earlier-boot', counter: 7 }))),
      retained: false,
      expect: { verdict: 'repeat', commandId: ANSWERED, answer: ANSWER },
    },
  ];
}

function unauthentic(): Vector[] {
  const signed = FIRST.sign(TEXT);
  const bytes = FIRST.signatureOf(TEXT);
  const refuse = (name: string, message: SignedOrder, code: RefusalCode): Vector =>
    refused(name, message, code, COMMAND);
  return [
    { ...refuse('a good order, but retained', signed, 'retained_message'), retained: true },
    refuse('an unknown kid', { ...signed, kid: 'mortise-test-3' }, 'unknown_key'),
    refuse('a kid that objects inherit', { ...signed, kid: '__proto__' }, 'unknown_key'),
    refuse('a key that is not trusted', STRANGER.sign(TEXT), 'unknown_key'),
    refuse(
      'a key that is not trusted, under a trusted name',
      { ...STRANGER.sign(TEXT), kid: FIRST.kid },
      'bad_signature',
    ),
    refuse('the kid of the other trusted key', { ...signed, kid: SECOND.kid }, 'bad_signature'),
    refuse('a changed order', { ...signed, order: TEXT.replace('5000', '9000') }, 'bad_signature'),
    refuse('the same JSON in other bytes', { ...signed, order: TEXT.replace(',', ', ') }, 'bad_signature'),
    refuse('one bit of the signature flipped', { ...signed, signature: encoded(flipped(bytes)) }, 'bad_signature'),
    refuse('half of the signature', { ...signed, signature: encoded(bytes.subarray(0, 32)) }, 'bad_signature'),
    refuse('no signature', { ...signed, signature: '' }, 'bad_signature'),
    refuse('a signature with padding', { ...signed, signature: `${signed.signature}==` }, 'bad_signature'),
    refuse(
      'a signature in another spelling (spare bits set)',
      { ...signed, signature: respelled(signed.signature) },
      'bad_signature',
    ),
    refuse('a malleated signature (S + L)', { ...signed, signature: encoded(malleated(bytes)) }, 'bad_signature'),
    refused(
      'a changed order with an id that was answered',
      { ...signed, order: TEXT.replace(COMMAND, ANSWERED) },
      'bad_signature',
      null,
    ),
  ];
}

function malformed(): Vector[] {
  const badOrder = (name: string, order: string, commandId: string | null = COMMAND): Vector =>
    refused(name, FIRST.sign(order), 'malformed_order', commandId);
  const badMessage = (name: string, message: string): Vector => ({
    name,
    message,
    retained: false,
    expect: { verdict: 'refused', code: 'malformed_order', commandId: null },
  });
  return [
    badMessage('no JSON', 'open sesame'),
    badMessage('an array', '[]'),
    badMessage('a message without a signature', JSON.stringify({ order: TEXT, kid: FIRST.kid })),
    badMessage('an order that is an object and no text', JSON.stringify({ ...FIRST.sign(TEXT), order: ORDER })),
    badMessage('two kids in one message', JSON.stringify(FIRST.sign(TEXT)).replace('"kid"', '"kid":"x","kid"')),
    refused('a lone surrogate, signed as U+FFFD', withLoneSurrogate(), 'malformed_order', COMMAND),
    badOrder('an order that is no JSON', 'unlock_door', null),
    badOrder('a member missing', withChange({ expiresAtUptimeMs: undefined })),
    badOrder('a member too many', withChange({ onlyIf: 'the owner is at home' })),
    badOrder('a member that occurs twice', TEXT.replace('"counter":42', '"counter":42,"counter":43'), null),
    badOrder('a counter in quotes', withChange({ counter: '42' })),
    badOrder('a counter with a fraction', withChange({ counter: 42.5 })),
    badOrder('a counter above 2^53 - 1', TEXT.replace('"counter":42', '"counter":9007199254740993')),
    badOrder('a counter without end', TEXT.replace('"counter":42', '"counter":1e999')),
    badOrder('a negative deadline', withChange({ expiresAtUptimeMs: -1 })),
    badOrder('a payload that is no object', withChange({ payload: [] })),
    badOrder('a command id in upper case', withChange({ commandId: COMMAND.toUpperCase() }), null),
  ];
}

function untimely(): Vector[] {
  const bad = (name: string, change: Record<string, unknown>, code: RefusalCode): Vector =>
    refused(name, FIRST.sign(withChange(change)), code, COMMAND);
  return [
    bad('an order for another lock', { deviceId: '0192a7c4-5b1e-7d3a-9c40-2f6e8b1d7a56' }, 'wrong_device'),
    bad('an order for another boot', { boot: 'zb3xQ7kT0pVw9sLr2NcYhA' }, 'wrong_boot'),
    bad('a counter that was used', { counter: 41 }, 'stale_counter'),
    bad('a counter from before', { counter: 1 }, 'stale_counter'),
    bad('a deadline at this very millisecond', { expiresAtUptimeMs: LOCK.uptimeMs }, 'deadline_passed'),
    bad(
      'a deadline long ago, whatever the wall clock says',
      { expiresAtUptimeMs: 1, expiresAt: '2099-01-01T00:00:00Z' },
      'deadline_passed',
    ),
    bad('another boot and a used counter: the first check decides', { boot: 'another-boot', counter: 1 }, 'wrong_boot'),
  ];
}

function unfit(): Vector[] {
  const bad = (name: string, change: Record<string, unknown>, code: RefusalCode): Vector =>
    refused(name, FIRST.sign(withChange(change)), code, COMMAND);
  return [
    bad('an unknown command', { name: 'open_sesame' }, 'unknown_command'),
    bad('a command that objects inherit', { name: 'constructor' }, 'unknown_command'),
    bad('an unlock too short', { payload: { durationMs: 999 } }, 'invalid_payload'),
    bad('an unlock too long', { payload: { durationMs: 30_001 } }, 'invalid_payload'),
    bad('an unlock of half a millisecond', { payload: { durationMs: 5000.5 } }, 'invalid_payload'),
    bad('an unlock with null for a duration', { payload: { durationMs: null } }, 'invalid_payload'),
    bad('a payload with a member too many', { payload: { durationMs: 5000, silently: true } }, 'invalid_payload'),
    bad('a lock order with a duration', { name: 'lock_door' }, 'invalid_payload'),
  ];
}

function accepted(name: string, message: SignedOrder & { traceparent?: string }): Vector {
  return {
    name,
    message: JSON.stringify(message),
    retained: false,
    expect: { verdict: 'accepted', commandId: COMMAND },
  };
}

function refused(name: string, message: SignedOrder, code: RefusalCode, commandId: string | null): Vector {
  return { name, message: JSON.stringify(message), retained: false, expect: { verdict: 'refused', code, commandId } };
}

function withChange(change: Record<string, unknown>): string {
  return JSON.stringify({ ...ORDER, ...change });
}

/** The same order in other spellings of JSON: the text is signed, not its meaning. */
function spaciously(): string {
  const reversed = Object.fromEntries(Object.entries(ORDER).reverse());
  return JSON.stringify(reversed, null, 2).replace('unlock_door', '\\u0075nlock_door');
}

/** An encoder that replaces what it cannot encode makes the same bytes of both texts. */
function withLoneSurrogate(): SignedOrder {
  const image = { version: '2', url: 'https://vendor.example/\ufffd', sha256: '0'.repeat(64), signature: 'x' };
  const text = withChange({ name: 'firmware_update', payload: image });
  return { ...FIRST.sign(text), order: text.replace('\ufffd', '\ud800') };
}

function encoded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(5) ^ 1, 5);
  return copy;
}

/** Sets the four bits at the end that carry nothing. */
function respelled(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.slice(-1)) | 1);
}

function malleated(bytes: Buffer): Buffer {
  const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + L;
  return Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()]);
}

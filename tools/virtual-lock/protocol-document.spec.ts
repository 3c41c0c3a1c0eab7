import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { COMMAND_NAMES, REFUSAL_CODES } from '../../src/contracts/commands.js';
import { DEVICE_EVENT_TYPES } from '../../src/contracts/events.js';
import {
  deviceTopic,
  DOWNLINK_CHANNELS,
  MAX_EVENTS_PER_MESSAGE,
  MAX_MQTT_PAYLOAD_BYTES,
  UPLINK_CHANNELS,
} from '../../src/contracts/mqtt.js';
import { UPLINK_LIMITS as LIMITS } from '../../src/contracts/uplinks.js';
import { documentedChecks } from '../../test/support/documented-lock.js';
import { quoteVectors } from './vectors-in-markdown.js';
import { makeVectors } from './vectors.js';

const document = readFileSync('docs/protocol.md', 'utf8');
const file = makeVectors();

describe('docs/protocol-vectors.json', () => {
  it('is what make-vectors writes', () => {
    expect(JSON.parse(readFileSync('docs/protocol-vectors.json', 'utf8'))).toEqual(JSON.parse(JSON.stringify(file)));
  });
});

describe('docs/protocol.md', () => {
  it('quotes the vectors as they are', () => {
    expect(quoteVectors(document, file)).toBe(document);
  });

  it('quotes the bytes and the signature of the first vector', () => {
    const { order, signature } = JSON.parse(file.vectors[0]?.message ?? '') as { order: string; signature: string };
    const unwrapped = document.replaceAll('\n', '');
    expect(document).toContain(order);
    expect(document).toContain(signature);
    expect(unwrapped).toContain(Buffer.from(order, 'utf8').toString('hex'));
    expect(unwrapped).toContain(Buffer.from(signature, 'base64url').toString('hex'));
  });

  it.each([
    ...REFUSAL_CODES.map((code) => `| \`${code}\` |`),
    ...COMMAND_NAMES.map((name) => `| \`${name}\` |`),
    ...DEVICE_EVENT_TYPES.map((type) => `| \`${type}\` |`),
    ...[...UPLINK_CHANNELS, ...DOWNLINK_CHANNELS].map((channel) => `| \`${deviceTopic('{id}', channel)}\` |`),
  ])('has a row for %s', (cell) => {
    expect(document).toContain(cell);
  });

  it.each([
    `more than **${String(MAX_MQTT_PAYLOAD_BYTES)} bytes**`,
    `| 1 to ${String(MAX_EVENTS_PER_MESSAGE)} events |`,
    `| \`boot\` | ${LIMITS.bootLength.join(' to ')} letters`,
    `| \`firmwareVersion\` | visible text, cut to ${String(LIMITS.firmwareVersionLength)} characters`,
    `| heartbeat | \`battery\` | ${LIMITS.battery.join(' to ')}`,
    `| \`rssi\` | ${LIMITS.rssi.join(' to ')}`,
    `another is cut to ${String(LIMITS.eventTypeLength)} characters`,
    `| any other text | not empty, cut to ${String(LIMITS.dataTextLength)} characters`,
    `any JSON object of at most ${String(LIMITS.customDataBytes)} bytes`,
    `| \`result\` | an object of at most ${String(LIMITS.resultBytes)} bytes`,
    `| acks | \`errorCode\` | text, cut to ${String(LIMITS.errorCodeLength)} characters`,
    `| \`errorMessage\` | text, cut to ${String(LIMITS.errorMessageLength)} characters`,
  ])('states the limit: %s', (statement) => {
    expect(document).toContain(statement);
  });

  it('prints a lock that says to the vectors what it should', async () => {
    const { check } = (await import(`data:text/javascript,${encodeURIComponent(documentedChecks())}`)) as {
      check: (message: unknown, lock: object) => { code: string | null; commandId: string | null; asked?: object };
    };
    const { lock, keys, vectors } = file;
    const knows = { ...lock, keys, counter: lock.lastCounter, uptime: lock.uptimeMs };
    // A socket has read the message before the lock does: these three are the line's.
    const ofTheLine = ['a good order, but retained', 'no JSON', 'two kids in one message'];
    const told = vectors.filter(({ name }) => !ofTheLine.includes(name));
    expect(told).toHaveLength(vectors.length - ofTheLine.length);
    const verdicts = told.map(({ name, message }) => {
      const answers = new Map(Object.entries(lock.answered));
      const { code, commandId, asked } = check(JSON.parse(message), { ...knows, answers });
      return { name, commandId, verdict: code ?? (asked ? 'accepted' : 'repeat') };
    });
    expect(verdicts).toEqual(
      told.map(({ name, expect: { commandId, ...due } }) => ({
        name,
        commandId,
        verdict: due.verdict === 'refused' ? due.code : due.verdict,
      })),
    );
  });

  it('loses nothing but the old vectors when they are written again', () => {
    const edited = document.replace('"counter":42', '"counter":43');
    expect(quoteVectors(edited, file)).toBe(document);
    expect(() => quoteVectors('no marks', file)).toThrow('no place for vectors');
  });
});

/**
 * P-33: malformed packets never crash; here on the device line. MQTT has no answer that says no: each bad message is
 * counted and logged, and everything goes on.
 * Seen to fail: with lists allowed as events (`[[]]` is a fault inside), with a log line for each refusal, and with
 * class-transformer for members that the protocol does not know (`constructor` is a fault inside).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import fc from 'fast-check';
import { deviceTopic, UPLINK_CHANNELS, type UplinkChannel } from '../../src/contracts/mqtt.js';
import { counter } from '../support/metrics.js';
import { recordFigure, scaled, SEED } from '../support/promise.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { request } from '../support/rest.js';
import { BadInputTarget } from '../support/bad-input-target.js';
import { eventually } from '../support/wait.js';

const RUNS = scaled(100, 5_000);
const REFUSED = 'mortise_mqtt_messages_refused_total';
const BOOT = 'boot-of-a-test';

let target: BadInputTarget;
let raw: ScriptedDevice;
let messages = 0;

beforeAll(async () => {
  target = await BadInputTarget.start();
  raw = await ScriptedDevice.born(target.application.mqttUrl, target.device, BOOT);
}, 60_000);

afterAll(async () => {
  await raw.end();
  await target.stop();
}, 60_000);

const INHERITED = '{"constructor":"ACME","toString":{"valueOf":[{"constructor":1}]}}';
const event = (changes: object): object => ({ seq: 1, boot: BOOT, type: 'motion_detected', data: {}, ...changes });
const json = (value: unknown): string => JSON.stringify(value);

const BAD: readonly [what: string, channel: UplinkChannel, payload: string | Buffer][] = [
  ...UPLINK_CHANNELS.flatMap((channel): [string, UplinkChannel, string | Buffer][] => [
    [`no JSON on ${channel}`, channel, 'hello'],
    [`half of a JSON on ${channel}`, channel, '{"boot":"'],
    [`null on ${channel}`, channel, 'null'],
    [`a number on ${channel}`, channel, '42'],
    [`a string on ${channel}`, channel, '"online"'],
    [`an empty array on ${channel}`, channel, '[]'],
    [`an empty object on ${channel}`, channel, '{}'],
    [`an array of arrays on ${channel}`, channel, '[[[]]]'],
    [`invalid UTF-8 on ${channel}`, channel, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    [`a boot of U+0000 on ${channel}`, channel, '{"boot":"\\u0000"}'],
    [`half a surrogate pair for a boot on ${channel}`, channel, '{"boot":"\\ud800"}'],
    [`depth on ${channel}`, channel, `${'['.repeat(1_000)}${']'.repeat(1_000)}`],
    [`__proto__ on ${channel}`, channel, '{"__proto__":{"online":true},"boot":"boot-of-a-test","uptimeMs":1}'],
    [`names that objects inherit on ${channel}`, channel, `{"a":${INHERITED},"constructor":[${INHERITED}]}`],
    [
      `the envelope of a framework on ${channel}`,
      channel,
      '{"pattern":"x","data":{"online":false,"boot":"boot-of-a-test"},"id":"1"}',
    ],
  ]),
  ['a name that stands twice', 'heartbeat', '{"boot":"boot-of-a-test","uptimeMs":1,"uptimeMs":2}'],
  ['a birth without a boot', 'status', json({ online: true, uptimeMs: 1 })],
  ['a boot that is too short', 'status', json({ online: true, boot: 'x', uptimeMs: 1 })],
  ['a boot that is a path', 'status', json({ online: true, boot: '../../../etc', uptimeMs: 1 })],
  ['an online that is a string', 'status', json({ online: 'true', boot: BOOT, uptimeMs: 1 })],
  ['a movement by no command', 'events', json(event({ type: 'door_status_changed', data: { commandId: 'x' } }))],
  [
    'a number that is rounded',
    'events',
    '{"seq":1,"boot":"boot-of-a-test","type":"custom","data":{"card":9007199254740993}}',
  ],
  ['a sequence with a fraction', 'events', json(event({ seq: 1.5 }))],
  [
    '__proto__ deep inside of data',
    'events',
    '{"seq":1,"boot":"boot-of-a-test","type":"custom","data":{"a":[{"__proto__":1}]}}',
  ],
  [
    'a prototype of a constructor',
    'heartbeat',
    '{"boot":"boot-of-a-test","uptimeMs":1,"x":{"constructor":{"prototype":1}}}',
  ],
  ['a sequence from zero', 'events', json(event({ seq: 0 }))],
  ['101 events', 'events', json(Array.from({ length: 101 }, (_each, index) => event({ seq: index + 1 })))],
  ['a good event among bad ones', 'events', json([event({}), 'x', null])],
  ['an ack for no id', 'acks', json({ commandId: 'x', status: 'executed' })],
  ['an ack of its own', 'acks', json({ commandId: randomUUID(), status: 'opened' })],
];

describe('P-33: bad messages on the device line', () => {
  it.each(BAD)('counts a refusal of %s', async (_what, channel, payload) => {
    messages += 1;
    const refused = await counter(target.url, REFUSED);
    await raw.publishRaw(deviceTopic(target.device.id, channel), payload);
    await eventually('the refusal is counted', async () => (await counter(target.url, REFUSED)) === refused + 1);
  });

  it('logs them too, but never more than ten lines a second, and says how many it left out', async () => {
    const logged = (): number => {
      const lines = target.application.output
        .split('\n')
        .filter((line) => line.includes('Message of a device refused'));
      return lines
        .map((line) => 1 + ((JSON.parse(line) as { unlogged?: number }).unlogged ?? 0))
        .reduce((sum, each) => sum + each, 0);
    };
    await eventually('every refusal is in the log, or counted there', async () => {
      await raw.publishRaw(deviceTopic(target.device.id, 'acks'), 'hello');
      return logged() >= BAD.length && logged() <= (await counter(target.url, REFUSED));
    });
    expect(await counter(target.url, REFUSED, 'code="internal_error"')).toBe(0);
  });

  it('has believed nothing of it', async () => {
    const { accessToken: token } = target.owner;
    const { body } = await request(target.url, 'GET', `/api/v1/devices/${target.device.id}`, { token });
    expect(body).toMatchObject({ status: 'online', lockState: 'locked', battery: null });
    const history = await request<{ items: { type: string }[] }>(
      target.url,
      'GET',
      `/api/v1/devices/${target.device.id}/events`,
      { token },
    );
    expect(
      history.body.items.filter(({ type }) => ['motion_detected', 'custom', 'device_disconnected'].includes(type)),
    ).toEqual([]);
  });

  it('ends the connection of a device that sends more than 64 KiB at once, and counts it', async () => {
    const reckless = await ScriptedDevice.connect(target.application.mqttUrl, target.device, { clientId: 'reckless' });
    const before = await counter(target.url, 'mortise_mqtt_operations_refused_total');
    await Promise.race([
      reckless
        .publishRaw(deviceTopic(target.device.id, 'heartbeat'), Buffer.alloc(70_000, 0x20))
        .catch(() => undefined),
      reckless.closed(),
    ]);
    await reckless.closed();
    await eventually(
      'it is counted',
      async () => (await counter(target.url, 'mortise_mqtt_operations_refused_total')) > before,
    );
    await reckless.end();
  });
});

/** Sends bytes and hangs up; whatever the broker does with them. */
function throwAt(url: string, bytes: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.end(bytes);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve();
    });
    socket.resume();
    socket.setTimeout(2_000, () => socket.destroy());
  });
}

describe('P-33: generated bytes on the device line', () => {
  const inherited = fc.constantFrom('constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__', 'prototype');
  const anyJson = fc.oneof(
    fc.jsonValue({ depthSize: 'small', stringUnit: 'binary' }),
    fc.letrec((tie) => ({
      odd: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(1, 'ACME', null),
        fc.array(tie('odd'), { maxLength: 2 }),
        fc.dictionary(fc.oneof(inherited, fc.constantFrom('k')), tie('odd'), { maxKeys: 4 }),
      ),
    })).odd,
  );
  const member = fc.oneof(
    fc.constantFrom('online', 'boot', 'uptimeMs', 'seq', 'type', 'data', 'commandId', 'status', 'result', 'occurredAt'),
    inherited,
    fc.string(),
  );
  const fields = fc.dictionary(member, fc.oneof(anyJson, fc.constantFrom(BOOT, 'custom', 'executed', true, 1)), {
    maxKeys: 8,
  });
  const payload = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.oneof(anyJson, fields, fc.array(fields, { maxLength: 3 })).map((value) => Buffer.from(json(value))),
  );

  it('takes or refuses every payload, and breaks at none', async () => {
    const property = fc.asyncProperty(fc.constantFrom(...UPLINK_CHANNELS), payload, async (channel, bytes) => {
      messages += 1;
      await raw.publishRaw(deviceTopic(target.device.id, channel), bytes);
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
    expect(await counter(target.url, REFUSED, 'code="internal_error"')).toBe(0);
  }, 300_000);

  it('survives every stream of bytes', async () => {
    // The first byte of a packet is its type; CONNECT is 0x10.
    const packet = fc.tuple(
      fc.constantFrom(0x10, 0x20, 0x30, 0x32, 0x34, 0x60, 0x82, 0xa2, 0xc0, 0xe0, 0xf0, 0x00),
      fc.uint8Array({ maxLength: 100 }),
    );
    const framed = packet.map(([type, body]) => Buffer.from([type, body.length, ...body]));
    const greeting = Buffer.from([0x10, 0x10, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 4, 0x74, 0x65, 0x73, 0x74]);
    const stream = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.array(framed, { minLength: 1, maxLength: 5 }).map((packets) => Buffer.concat(packets)),
      fc.array(framed, { minLength: 1, maxLength: 5 }).map((packets) => Buffer.concat([greeting, ...packets])),
      fc.constant(Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x7f])),
      fc.constant(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])),
    );
    const property = fc.asyncProperty(stream, async (bytes) => {
      messages += 1;
      await throwAt(target.application.mqttUrl, bytes);
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
  }, 600_000);

  it('is alive after all of it: the door opens, and nothing went wrong inside', async () => {
    await target.expectHealthy();
    recordFigure({
      promise: 'P-33',
      shown: 'Bad messages, packets and bytes on the device line.',
      n: messages,
      figure: '0 crashes, 0 faults inside',
      seed: SEED,
    });
  }, 60_000);
});

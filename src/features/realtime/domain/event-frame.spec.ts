/** The frame against the decoder that docs/realtime.md prints. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EventType } from '../../../contracts/events.js';
import type { EventFrame, FeedMessage } from '../../../contracts/realtime.js';
import { type NamedMessage, toEventFrame } from './event-frame.js';
import { socketEventOf } from './feed-message.js';

let decode: (frame: EventFrame) => [event: string, message: FeedMessage][];

beforeAll(async () => {
  const page = await readFile(new URL('../../../../docs/realtime.md', import.meta.url), 'utf8');
  const [, source = ''] = /```js\n(export function decode[\s\S]*?)```/.exec(page) ?? [];
  ({ decode } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as { decode: typeof decode });
});

const cursorAt = (xid: bigint | number, id: bigint | number): string =>
  Buffer.from(`0f8a2c.${String(xid)}.${String(id)}`).toString('base64url');

function named(message: FeedMessage): NamedMessage {
  return { event: socketEventOf(message.type) ?? 'device_status', message };
}

/** Through JSON, as on the wire. */
function sent(events: readonly NamedMessage[]): [string, FeedMessage][] {
  return decode(JSON.parse(JSON.stringify(toEventFrame(events))) as EventFrame);
}

const types = ['device_updated', 'door_status_changed', 'command_sent', 'motion_detected'] satisfies EventType[];
const id = fc.uuid();
const text = fc.oneof(
  id,
  fc.string(),
  fc.string().map((rest) => `~${rest}`),
);
const time = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const message = fc
  .record({
    xid: fc.bigInt(1n, 2n ** 50n),
    number: fc.bigInt(1n, 2n ** 50n),
    isAtHorizon: fc.boolean(),
    type: fc.constantFrom(...types),
    payload: fc.dictionary(fc.string(), fc.oneof(text, fc.jsonValue())),
    deviceId: fc.option(id),
    commandId: fc.option(id),
    actor: fc.oneof(
      fc.constantFrom('system', 'anonymous'),
      id.map((user) => `user:${user}`),
      id.map((device) => `device:${device}`),
    ),
    occurredAt: fc.oneof(time, fc.constant('2026-11-20T18:00:00.123456Z')),
    receivedAt: time,
    version: fc.nat(),
  })
  .map(({ xid, number, isAtHorizon, ...rest }) => {
    const cursor = isAtHorizon ? cursorAt(xid, 0) : cursorAt(xid, number);
    return { ...rest, id: String(number), cursor } as unknown as FeedMessage;
  });

describe('A frame of events', () => {
  it('says the same as its events, each by itself', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 40 }), (messages) => {
        const plain = JSON.parse(JSON.stringify(messages)) as FeedMessage[];
        expect(sent(plain.map(named))).toEqual(plain.map((each) => [named(each).event, each]));
      }),
      { numRuns: 300 },
    );
  });

  it('leaves a list alone that looks like a reference', () => {
    const event = { ...reported(1), payload: { faults: ['~', '~0'], note: '~0' } } as unknown as FeedMessage;
    expect(sent([named(event)])).toEqual([[named(event).event, event]]);
  });

  it('is at least 70 % smaller than 20 messages of 20 devices with random ids, and 75 % on the wire', () => {
    const events = Array.from({ length: 20 }, (_, n) => named(reported(n)));
    expect(sent(events)).toEqual(events.map(({ event, message: each }) => [event, each]));
    const alone = events.map(({ event, message: each }) => packet(event, each));
    const together = [packet('events', toEventFrame(events))];
    const payload = (packets: readonly string[]): number => packets.reduce((sum, each) => sum + each.length, 0);
    // The header of WebSocket, and of TCP and IP, of one segment each.
    const wire = (packets: readonly string[]): number => payload(packets) + packets.length * (4 + 40);
    expect(payload(together) / payload(alone)).toBeLessThanOrEqual(0.3);
    expect(wire(together) / wire(alone)).toBeLessThanOrEqual(0.25);
  });
});

function packet(event: string, argument: object): string {
  return `42${JSON.stringify([event, argument])}`;
}

/** As doors report what commands have done. */
function reported(n: number): FeedMessage {
  const [deviceId, commandId] = [randomUUID(), randomUUID()];
  const at = 1_795_000_000_000 + n;
  return {
    cursor: cursorAt(81_234 + n, 5_566_778 + n),
    id: String(5_566_778 + n),
    type: 'door_status_changed',
    payload: { lockState: n % 2 === 0 ? 'unlocked' : 'locked', commandId },
    deviceId,
    commandId,
    actor: `device:${deviceId}`,
    occurredAt: new Date(at - 100 - n).toISOString(),
    receivedAt: new Date(at).toISOString(),
    version: n * 17,
  };
}

import { describe, expect, it, jest } from '@jest/globals';
import { Allow, ArrayMaxSize, IsArray, IsIn, IsInt, IsObject, IsString, Max, Min } from 'class-validator';
import { InvalidRequestError } from '../http/validation/validation.js';
import type { RejectedMessages } from '../mqtt/rejected-messages.js';
import { Parts } from './parts.decorator.js';
import { Reading } from './reading.decorator.js';
import { UplinkPipe } from './uplink.pipe.js';

class PartDto {
  @IsInt()
  seq!: number;

  @Reading()
  @IsIn(['a', 'b'])
  kind?: string;

  @Allow()
  data?: unknown;
}

class MessageDto {
  @IsInt()
  uptimeMs!: number;

  @Reading({ whole: 'rounded' })
  @IsInt()
  @Min(-120)
  @Max(0)
  rssi?: number;

  @Reading({ whole: 'floored' })
  @IsInt()
  @Min(0)
  age?: number;

  @Reading({ cutTo: 4 })
  @IsString()
  note?: string;

  @Reading()
  @IsArray()
  @Parts(() => PartDto)
  parts?: PartDto[];

  @Reading()
  @IsObject()
  result?: object;
}

class BatchDto {
  @IsArray()
  @ArrayMaxSize(2)
  @IsObject({ each: true })
  @Parts(() => PartDto)
  parts!: PartDto[];
}

const topic = 'v1/devices/d/heartbeat';

async function read(payload: unknown): Promise<{ message: object; dropped: string[] }> {
  const reading = jest.fn<RejectedMessages['reading']>();
  const pipe = new UplinkPipe({ reading } as unknown as RejectedMessages);
  const message = await pipe.transform({ topic, payload }, { type: 'custom', metatype: MessageDto });
  return { message: { ...message }, dropped: reading.mock.calls.map(([, member]) => member) };
}

describe('UplinkPipe', () => {
  it.each<[string, object, object, string[]]>([
    ['takes what is good', { rssi: -61, note: 'ok' }, { rssi: -61, note: 'ok' }, []],
    ['ignores members that it does not know', { lux: 4, toString: 'x' }, {}, []],
    ['rounds and cuts', { rssi: -0.4, note: ' long text' }, { rssi: 0, note: 'long' }, []],
    ['cuts fractions off', { age: 93_215.93 }, { age: 93_215 }, []],
    ['takes no fraction below zero for zero', { age: -0.1 }, {}, ['age']],
    ['drops what is out of range', { rssi: 31, note: 'ok' }, { note: 'ok' }, ['rssi']],
    ['drops what has another type', { rssi: '-3', note: {} }, {}, ['rssi', 'note']],
    ['takes null for left out', { rssi: null, note: null }, {}, []],
    ['drops readings of nested objects', { parts: [{ seq: 1, kind: 'c' }] }, { parts: [{ seq: 1 }] }, ['kind']],
    ['drops a reading with a fault inside', { parts: [{ seq: 'x' }] }, {}, ['parts']],
  ])('%s', async (_what, given, expected, dropped) => {
    const outcome = await read({ uptimeMs: 1, ...given });
    expect(outcome).toEqual({ message: { uptimeMs: 1, ...expected }, dropped });
  });

  /** Names that every object inherits, and one that reaches into prototypes. */
  const inherited = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'];
  const members = (value: unknown): object =>
    JSON.parse(`{${inherited.map((name) => `"${name}":${JSON.stringify(value)}`).join()}}`) as object;

  it.each<[string, object, object, string[]]>([
    ['of the message', members('ACME'), {}, []],
    ['of a member that it does not know', { vendor: members({ constructor: 1 }) }, {}, []],
    ['of a reading that is no object', { rssi: members(1), note: members('x') }, {}, ['rssi', 'note']],
    ['of a part', { parts: [{ seq: 1, ...members('x'), data: 1 }] }, { parts: [{ seq: 1, data: 1 }] }, []],
    ['of a reading of a part', { parts: [{ seq: 1, kind: members('a') }] }, { parts: [{ seq: 1 }] }, ['kind']],
  ])('reads past names that objects inherit: %s', async (_where, given, expected, dropped) => {
    expect(await read({ uptimeMs: 1, ...given })).toEqual({ message: { uptimeMs: 1, ...expected }, dropped });
  });

  it('keeps objects of any members as they are', async () => {
    const any = { ...members({ constructor: [{ toString: 1 }] }), k: 4 };
    const given = {
      uptimeMs: 1,
      parts: [
        { seq: 1, data: any },
        { seq: 2, data: [any] },
      ],
      result: any,
    };
    expect(JSON.stringify((await read(given)).message)).toBe(JSON.stringify(given));
  });

  it.each([null, 'text', 4, [], [{ uptimeMs: 1 }], {}, { uptimeMs: null }, { uptimeMs: 1.5 }, { rssi: -3 }])(
    'refuses %j',
    async (payload) => {
      await expect(read(payload)).rejects.toThrow(InvalidRequestError);
    },
  );

  it('counts nothing of a message that it refuses', async () => {
    const reading = jest.fn<RejectedMessages['reading']>();
    const pipe = new UplinkPipe({ reading } as unknown as RejectedMessages);
    const refusal = pipe.transform({ topic, payload: { rssi: 31 } }, { type: 'custom', metatype: MessageDto });
    await expect(refusal).rejects.toMatchObject({ errors: [{ pointer: '/uptimeMs' }] });
    expect(reading).not.toHaveBeenCalled();
  });

  it('refuses a list beyond its bound for that alone, and reads none of its parts', async () => {
    let looks = 0;
    const part = new Proxy({}, { ownKeys: () => (looks++, []), get: () => looks++ });
    const pipe = new UplinkPipe({ reading: jest.fn() } as unknown as RejectedMessages);
    const payload = { parts: [part, part, part] };
    const refusal = await pipe
      .transform({ topic, payload }, { type: 'custom', metatype: BatchDto })
      .catch((e: unknown) => e);
    expect(refusal).toMatchObject({ errors: [{ detail: '`parts` must have at most 2 items', pointer: '/parts' }] });
    expect(looks).toBe(0);
  });
});

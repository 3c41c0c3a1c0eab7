import { describe, expect, it, jest } from '@jest/globals';
import { Type } from 'class-transformer';
import { IsArray, IsIn, IsInt, IsString, Max, Min, ValidateNested } from 'class-validator';
import { InvalidRequestError } from '../http/validation.js';
import type { RejectedMessages } from '../mqtt/rejected-messages.js';
import { Reading } from './reading.decorator.js';
import { UplinkPipe } from './uplink.pipe.js';

class PartDto {
  @IsInt()
  seq!: number;

  @Reading()
  @IsIn(['a', 'b'])
  kind?: string;
}

class MessageDto {
  @IsInt()
  uptimeMs!: number;

  @Reading({ rounded: true })
  @IsInt()
  @Min(-120)
  @Max(0)
  rssi?: number;

  @Reading({ cutTo: 4 })
  @IsString()
  note?: string;

  @Reading()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => PartDto)
  parts?: PartDto[];
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
    ['drops what is out of range', { rssi: 31, note: 'ok' }, { note: 'ok' }, ['rssi']],
    ['drops what has another type', { rssi: '-3', note: {} }, {}, ['rssi', 'note']],
    ['takes null for left out', { rssi: null, note: null }, {}, []],
    ['drops readings of nested objects', { parts: [{ seq: 1, kind: 'c' }] }, { parts: [{ seq: 1 }] }, ['kind']],
    ['drops a reading with a fault inside', { parts: [{ seq: 'x' }] }, {}, ['parts']],
  ])('%s', async (_what, given, expected, dropped) => {
    const outcome = await read({ uptimeMs: 1, ...given });
    expect(outcome).toEqual({ message: { uptimeMs: 1, ...expected }, dropped });
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
});

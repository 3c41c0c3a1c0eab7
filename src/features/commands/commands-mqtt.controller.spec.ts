import { describe, expect, it } from '@jest/globals';
import type { RejectedMessages } from '../../platform/mqtt/rejected-messages.js';
import { UplinkPipe } from '../../platform/uplinks/uplink.pipe.js';
import { AckDto } from './acknowledgement/acks.dto.js';
import type { AcknowledgementService } from './acknowledgement/acknowledgement.service.js';
import { CommandsMqttController } from './commands-mqtt.controller.js';

const commandId = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c57';

async function read(payload: unknown): Promise<{ ack: AckDto; dropped: string[] }> {
  const dropped: string[] = [];
  const refusals = { reading: (_topic: string, member: string) => dropped.push(member) };
  const pipe = new UplinkPipe(refusals as unknown as RejectedMessages);
  const ack = await pipe.transform({ topic: 'v1/devices/d/acks', payload }, { type: 'custom', metatype: AckDto });
  return { ack: ack as AckDto, dropped };
}

describe('the acks topic', () => {
  it('passes an ack on with the device that sent it', async () => {
    const received: unknown[] = [];
    const acknowledgements = {
      acknowledge: (...ack: unknown[]) => {
        received.push(ack);
        return Promise.resolve();
      },
    } as unknown as AcknowledgementService;
    const { ack } = await read({ commandId, status: 'executed', result: { movedMs: 412, trace: [1, { deep: true }] } });
    await new CommandsMqttController(acknowledgements).acknowledge('device-1', ack);
    expect(received).toEqual([['device-1', ack]]);
    expect(ack.result).toEqual({ movedMs: 412, trace: [1, { deep: true }] });
  });

  it.each<[string, object, object, string[]]>([
    ['a command id in capitals', { commandId: commandId.toUpperCase() }, {}, []],
    ['an unknown member', { state: 'EXECUTED' }, {}, []],
    ['a result that is no object', { result: [] }, {}, ['result']],
    ['a result beyond 4 KiB', { result: { log: 'x'.repeat(4_096) } }, {}, ['result']],
    ['a number that is rounded', { result: { serial: 2 ** 53 } }, {}, ['result']],
    ['an endless message', { errorMessage: 'x'.repeat(501) }, { errorMessage: 'x'.repeat(500) }, []],
    ['an endless code', { errorCode: 'x'.repeat(65) }, { errorCode: 'x'.repeat(64) }, []],
    ['a number for a code', { errorCode: 7 }, {}, ['errorCode']],
    ['nulls', { result: null, errorCode: null, errorMessage: null }, {}, []],
  ])('takes a verdict with %s', async (_what, more, stored, expected) => {
    const { ack, dropped } = await read({ commandId, status: 'failed', ...more });
    expect(ack).toEqual(Object.assign(new AckDto(), { commandId, status: 'failed', ...stored }));
    expect(dropped).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['no command', { status: 'executed' }],
    ['a command id that is no UUID', { commandId: 'x', status: 'executed' }],
    ['an unknown status', { commandId, status: 'done' }],
    ['a list of acks', [{ commandId, status: 'executed' }]],
  ])('refuses an ack with %s', async (_fault, message) => {
    await expect(read(message)).rejects.toThrow();
  });
});

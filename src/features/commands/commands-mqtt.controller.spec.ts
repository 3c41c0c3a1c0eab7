import { describe, expect, it } from '@jest/globals';
import { validationPipe } from '../../platform/http/validation.js';
import { AckDto } from './acks.dto.js';
import type { AcknowledgementService } from './acknowledgement.service.js';
import { CommandsMqttController } from './commands-mqtt.controller.js';

const commandId = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c57';
const validate = (message: unknown): Promise<AckDto> =>
  validationPipe().transform(message, { type: 'body', metatype: AckDto }) as Promise<AckDto>;

describe('the acks topic', () => {
  it('passes an ack on with the device that sent it', async () => {
    const received: unknown[] = [];
    const acknowledgements = {
      acknowledge: (...ack: unknown[]) => {
        received.push(ack);
        return Promise.resolve();
      },
    } as unknown as AcknowledgementService;
    const ack = await validate({ commandId, status: 'executed', result: { movedMs: 412, trace: [1, { deep: true }] } });
    await new CommandsMqttController(acknowledgements).acknowledge('device-1', ack);
    expect(received).toEqual([['device-1', ack]]);
    expect(ack.result).toEqual({ movedMs: 412, trace: [1, { deep: true }] });
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['no command', { status: 'executed' }],
    ['a command id that is no UUID', { commandId: 'x', status: 'executed' }],
    ['an unknown status', { commandId, status: 'done' }],
    ['an unknown member', { commandId, status: 'executed', state: 'EXECUTED' }],
    ['a result that is no object', { commandId, status: 'executed', result: [] }],
    ['a result beyond 4 KiB', { commandId, status: 'executed', result: { log: 'x'.repeat(4_096) } }],
    ['an endless message', { commandId, status: 'failed', errorMessage: 'x'.repeat(501) }],
    ['an endless code', { commandId, status: 'failed', errorCode: 'x'.repeat(65) }],
    ['a number for a code', { commandId, status: 'failed', errorCode: 7 }],
  ])('refuses an ack with %s', async (_fault, message) => {
    await expect(validate(message)).rejects.toThrow();
  });
});

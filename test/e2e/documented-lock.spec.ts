import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SignedOrder } from '../../src/contracts/orders.js';
import { DeviceSocketPublisher } from '../../src/platform/realtime/devices/device-socket-publisher.js';
import { DeviceSocketRegistry } from '../../src/platform/realtime/devices/device-socket-registry.js';
import { ROOT } from '../../tools/stack/paths.js';
import { CommandHarness } from '../support/command-harness.js';
import { documentedLock } from '../support/documented-lock.js';
import { eventually } from '../support/wait.js';

let harness: CommandHarness;

beforeAll(async () => {
  harness = await CommandHarness.start();
});

afterAll(() => harness.stop());

const doorEventsOf = (id: string): Promise<{ payload: Record<string, unknown> }[]> =>
  harness.rows(`SELECT payload FROM events WHERE device_id = $1 AND type = 'door_status_changed' ORDER BY xid, id`, [
    id,
  ]);

describe('The lock of docs/protocol.md', () => {
  it('carries out orders, locks again after a timed unlock, and refuses what it must', async () => {
    const { id, token } = await harness.registerDevice();
    const args = ['--input-type=module', '--eval', documentedLock(), '--', 'lock.mjs', id, token];
    const lock = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { PATH: process.env.PATH, MORTISE_URL: harness.app.url },
    });
    const moves = async (): Promise<unknown[]> =>
      (await doorEventsOf(id)).map(({ payload: { lockState, cause } }) => [lockState, cause]);
    try {
      await eventually('it is online', async () => (await harness.presenceOf(id)).status === 'online');
      const { body } = await harness.send(id, 'unlock_door', { payload: { durationMs: 1_000 }, waitSeconds: 10 });
      expect(body).toMatchObject({ state: 'EXECUTED', result: { lockState: 'unlocked' } });
      const restart = await harness.send(id, 'restart_device', { waitSeconds: 10 });
      expect(restart.body).toMatchObject({ state: 'FAILED', errorCode: 'not_supported' });

      const acks: unknown[] = [];
      harness.app
        .get(DeviceSocketRegistry)
        .of(id)
        ?.onAny((name, ack) => name === 'command_ack' && acks.push(ack));
      const stored = 'SELECT "order", kid, signature FROM commands WHERE id = $1';
      const [sent] = (await harness.rows<SignedOrder>(stored, [body.id])) as [SignedOrder];
      const forgedId = randomUUID();
      const deliver = (order: SignedOrder) => harness.app.get(DeviceSocketPublisher).publish(id, 'unlock_door', order);
      expect(await deliver({ ...sent, order: sent.order.replace(body.id, forgedId) })).toBe(true);
      expect(await deliver({ ...sent, kid: 'stranger', order: '{}' })).toBe(true);
      expect(await deliver(sent)).toBe(true);
      await eventually('both answers', () => acks.length === 2);
      expect(acks).toEqual([
        { commandId: forgedId, status: 'failed', errorCode: 'bad_signature' },
        { commandId: body.id, status: 'executed', result: { lockState: 'unlocked' } },
      ]);
      const both = [
        ['unlocked', 'command'],
        ['locked', 'auto_lock'],
      ];
      await eventually('it locks again', async () => isDeepStrictEqual(await moves(), both));
    } finally {
      lock.kill();
    }
  });
});

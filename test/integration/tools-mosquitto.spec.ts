/** The files in deploy/mosquitto, on a real Mosquitto. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectAsync, type MqttClient } from 'mqtt';
import { ROOT } from '../../tools/stack/paths.js';
import { type Mosquitto, startMosquitto } from '../support/mosquitto.js';

const [mine, other] = [randomUUID(), randomUUID()];

describe('the Mosquitto configuration for operators', () => {
  let broker: Mosquitto;
  const clients: MqttClient[] = [];

  beforeAll(async () => {
    const deployed = (name: string): Promise<string> => readFile(join(ROOT, 'deploy', 'mosquitto', name), 'utf8');
    const settings = (await deployed('mosquitto.conf'))
      .replaceAll(/\/mosquitto\/(data|config)\//g, '%folder%/')
      .split('\n')
      .filter((line) => !line.startsWith('listener'));
    const accounts = { mortise: 'secret', [mine]: 'token', [other]: 'token' };
    broker = await startMosquitto({ settings, files: { acl: await deployed('acl') }, accounts });
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.endAsync(true)));
    await broker.stop();
  });

  it('refuses clients without an account', async () => {
    const anonymous = connectAsync(broker.url, { protocolVersion: 5, reconnectPeriod: 0 });
    await expect(anonymous).rejects.toThrow(/Not authorized/);
    await expect(signIn(mine, 'wrong')).rejects.toThrow(/Not authorized/);
  });

  it.each(['status', 'heartbeat', 'events', 'acks'])('lets a device write its own %s, and no other’s', async (kind) => {
    const device = await signIn(mine, 'token');
    await device.publishAsync(`v1/devices/${mine}/${kind}`, '{}', { qos: 1 });
    await expect(device.publishAsync(`v1/devices/${other}/${kind}`, '{}', { qos: 1 })).rejects.toThrow(
      /Not authorized/,
    );
  });

  it.each(['receipts', 'commands', 'settings'])('lets a device read its own %s alone, and write none', async (kind) => {
    const [device, backend] = [await signIn(mine, 'token'), await signIn('mortise', 'secret')];
    const received = new Promise((resolve) => device.once('message', resolve));
    await device.subscribeAsync('v1/devices/#', { qos: 1 });
    await backend.publishAsync(`v1/devices/${other}/${kind}`, 'theirs', { qos: 1 });
    await backend.publishAsync(`v1/devices/${mine}/${kind}`, 'mine', { qos: 1 });
    expect(await received).toBe(`v1/devices/${mine}/${kind}`);
    await expect(device.publishAsync(`v1/devices/${mine}/${kind}`, '{}', { qos: 1 })).rejects.toThrow(/Not authorized/);
  });

  it('lets the backend share the load of all devices', async () => {
    const [device, backend] = [await signIn(mine, 'token'), await signIn('mortise', 'secret')];
    const received = new Promise((resolve) => backend.once('message', resolve));
    await backend.subscribeAsync('$share/mortise/v1/devices/+/acks', { qos: 1 });
    await device.publishAsync(`v1/devices/${mine}/acks`, '{}', { qos: 1 });
    expect(await received).toBe(`v1/devices/${mine}/acks`);
  });

  async function signIn(username: string, password: string): Promise<MqttClient> {
    const options = { protocolVersion: 5, reconnectPeriod: 0, clientId: randomUUID(), username, password } as const;
    const client = await connectAsync(broker.url, options);
    clients.push(client);
    return client;
  }
});

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import type { FastifyInstance } from 'fastify';
import { connectAsync } from 'mqtt';
import type pg from 'pg';
import { type AckMessage, allDevices, deviceTopic } from '../../../src/contracts/mqtt.js';

/** Orders over a broker in this process, and a map of who waits. @param pool keeps a row per command, where there is one */
export async function addCommands(app: FastifyInstance, pool: pg.Pool | null, mqttPort: number): Promise<void> {
  await pool?.query(
    'CREATE TABLE IF NOT EXISTS baseline_commands (id uuid PRIMARY KEY, device_id uuid, name text, state text)',
  );
  const save = async (name: string, text: string, values: readonly string[]): Promise<void> => {
    await pool?.query({ name, text, values: [...values] });
  };
  await startBroker(mqttPort);
  const client = await connectAsync(`mqtt://127.0.0.1:${String(mqttPort)}`, { protocolVersion: 4 });
  (client.stream as unknown as { setNoDelay(on: boolean): void }).setNoDelay(true);
  const waiting = new Map<string, () => void>();
  client.on('message', (_topic, payload) => {
    const { commandId } = JSON.parse(payload.toString()) as AckMessage;
    waiting.get(commandId)?.();
    waiting.delete(commandId);
  });
  await client.subscribeAsync(allDevices('acks'), { qos: 1 });
  app.post<{ Params: { deviceId: string }; Body: { name: string; payload: object } }>(
    '/api/v1/devices/:deviceId/commands',
    async ({ params: { deviceId }, body: { name, payload } }) => {
      const id = randomUUID();
      await save('insert', 'INSERT INTO baseline_commands VALUES ($1, $2, $3, $4)', [id, deviceId, name, 'SENT']);
      const acknowledged = new Promise<void>((resolve) => waiting.set(id, resolve));
      const order = JSON.stringify({ commandId: id, deviceId, name, payload });
      client.publish(deviceTopic(deviceId, 'commands'), JSON.stringify({ order }), { qos: 1 });
      await acknowledged;
      await save('update', 'UPDATE baseline_commands SET state = $2 WHERE id = $1', [id, 'EXECUTED']);
      return { id, deviceId, name, payload, state: 'EXECUTED' };
    },
  );
}

async function startBroker(port: number): Promise<void> {
  const aedes = await Aedes.createBroker();
  const broker = createServer({ noDelay: true }, (socket) => {
    aedes.handle(socket);
  });
  await new Promise<void>((resolve) => broker.listen(port, '127.0.0.1', resolve));
}

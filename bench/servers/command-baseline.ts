/**
 * A command as one would write it without a framework: Fastify, mqtt.js with noDelay, a broker in the same process,
 * and a map of who waits. With ROWS=1 it also keeps a row per command: one INSERT before the order goes out, one
 * UPDATE when its ack is in. No authentication, no idempotency, no signature, no history, nothing after a crash.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import Fastify from 'fastify';
import { connectAsync } from 'mqtt';
import pg from 'pg';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { type AckMessage, allDevices, deviceTopic } from '../../src/contracts/mqtt.js';

const mqttPort = Number(process.env.MQTT_PORT);
const pool =
  process.env.ROWS === '1'
    ? new pg.Pool({ connectionString: utcConnection(process.env.DATABASE_URL ?? ''), max: 20 })
    : null;
await pool?.query(
  'CREATE TABLE IF NOT EXISTS baseline_commands (id uuid PRIMARY KEY, device_id uuid, name text, state text)',
);

const aedes = await Aedes.createBroker();
const broker = createServer({ noDelay: true }, (socket) => {
  aedes.handle(socket);
});
await new Promise<void>((resolve) => broker.listen(mqttPort, '127.0.0.1', resolve));

const client = await connectAsync(`mqtt://127.0.0.1:${String(mqttPort)}`, { protocolVersion: 4 });
(client.stream as unknown as { setNoDelay(on: boolean): void }).setNoDelay(true);
const waiting = new Map<string, () => void>();
client.on('message', (_topic, payload) => {
  const { commandId } = JSON.parse(payload.toString()) as AckMessage;
  waiting.get(commandId)?.();
  waiting.delete(commandId);
});
await client.subscribeAsync(allDevices('acks'), { qos: 1 });

const app = Fastify();
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
app.get('/ready', () => ({ status: 'ok' }));
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });

async function save(name: string, text: string, values: readonly string[]): Promise<void> {
  await pool?.query({ name, text, values: [...values] });
}

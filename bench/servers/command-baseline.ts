/**
 * A command as one would write it without a framework: Fastify, mqtt.js with noDelay, a broker in the same process,
 * and a map of who waits. With ROWS=1 it also keeps a row per command: one INSERT before the order goes out, one
 * UPDATE when its ack is in. No authentication, no idempotency, no signature, no history, nothing after a crash.
 */
import Fastify from 'fastify';
import pg from 'pg';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { addCommands } from '../support/bare/bare-commands.js';

const pool =
  process.env.ROWS === '1'
    ? new pg.Pool({ connectionString: utcConnection(process.env.DATABASE_URL ?? ''), max: 20 })
    : null;
const app = Fastify();
await addCommands(app, pool, Number(process.env.MQTT_PORT));
app.get('/ready', () => ({ status: 'ok' }));
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });

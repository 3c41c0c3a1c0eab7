/** The list of devices as one would write it without a framework: Fastify, pg, one query, no questions asked. */
import Fastify from 'fastify';
import pg from 'pg';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { addDeviceList } from '../support/bare/bare-devices.js';

const pool = new pg.Pool({ connectionString: utcConnection(process.env.DATABASE_URL ?? ''), max: 20 });
const app = Fastify();
addDeviceList(app, pool);
app.get('/ready', () => ({ status: 'ok' }));
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });

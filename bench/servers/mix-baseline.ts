/**
 * The mix as one would write it without a framework: list, get, event and command by Fastify, pg, and a broker in the same
 * process. Clients are believed, no request is counted, and an event is one INSERT.
 */
import Fastify from 'fastify';
import pg from 'pg';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { addCommands } from '../support/bare/bare-commands.js';
import { addDeviceGet, addDeviceList } from '../support/bare/bare-devices.js';
import { addEvents } from '../support/bare/bare-events.js';

const pool = new pg.Pool({ connectionString: utcConnection(process.env.DATABASE_URL ?? ''), max: 20 });
const app = Fastify();
addDeviceList(app, pool);
addDeviceGet(app, pool);
await addEvents(app, pool);
await addCommands(app, pool, Number(process.env.MQTT_PORT));
app.get('/ready', () => ({ status: 'ok' }));
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });

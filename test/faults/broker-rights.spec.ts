/**
 * The account of the backend has too few rights at a real Mosquitto. The broker takes them away while it is connected: it checks
 * its access list when it delivers, drops what may not be read, and says nothing. Or it refuses a subscription from the start, or
 * the connection of the canary; or it ends each connection of the account for the next one.
 * Seen to fail: with a health that does not ask what the canary hears, and with each failed attempt of the canary to connect as the
 * beginning of its absence. `mqtt` was `up` throughout.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { Clock } from '../../src/shared/clock.js';
import { type Mosquitto, startMosquitto } from '../support/mosquitto.js';
import { startDynamicMosquitto } from '../support/dynamic-mosquitto.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { OperatedMosquitto } from '../support/operated-mosquitto.js';
import { scaled } from '../support/promise.js';
import { request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

type Mqtt = Readonly<Record<string, string>>;

const closing: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
}, 60_000);

async function start(env: Readonly<Record<string, string>>): Promise<TestApp> {
  const app = await TestApp.start({ env: { ROLES: 'hardware', ...env } });
  closing.push(() => app.stop());
  return app;
}

async function mqttSays(app: TestApp, wanted: Mqtt): Promise<Mqtt> {
  return eventually(
    `mqtt is ${JSON.stringify(wanted)}`,
    async () => {
      const { body } = await request<{ details: { mqtt?: Mqtt } }>(app.url, 'GET', '/api/health');
      const { mqtt } = body.details;
      return mqtt && Object.entries(wanted).every(([name, value]) => mqtt[name] === value) && mqtt;
    },
    60_000,
  );
}

/** Keeps the lines of the access list that `keep` names. */
async function changeRights(broker: Mosquitto, keep: (line: string) => boolean): Promise<void> {
  const shipped = await readFile(join('deploy', 'mosquitto', 'acl'), 'utf8');
  await writeFile(join(broker.folder, 'acl'), shipped.split('\n').filter(keep).join('\n'));
  const reloads = broker.log().split('Reloading config.').length;
  broker.signal('SIGHUP');
  await eventually(
    'Mosquitto has read its access list',
    () => broker.log().split('Reloading config.').length > reloads,
  );
}

const isRead = (line: string): boolean => line.startsWith('topic read');
const DEAF = { status: 'degraded', reason: 'hears nothing although the broker takes what is published' };

describe('A backend with too few rights at its broker', () => {
  // At the same time, because they wait for most of theirs.
  it.concurrent(
    'says which channels it does not hear, and hears them again by itself',
    async () => {
      const broker = await OperatedMosquitto.start();
      closing.push(() => broker.server.stop());
      const app = await start(broker.env());
      await mqttSays(app, { status: 'up' });
      await eventually('a canary is heard', async () => (await app.metric('mortise_mqtt_canary_seconds_count')) > 0);

      await changeRights(broker.server, (line) => !isRead(line));
      expect((await mqttSays(app, DEAF)).topics?.split(' ')).toHaveLength(4);
      await changeRights(broker.server, () => true);
      await mqttSays(app, { status: 'up' });

      await changeRights(broker.server, (line) => !line.includes('0000-'));
      await mqttSays(app, {
        status: 'degraded',
        reason: 'the broker refuses to let this account publish',
        brokerSays: 'Publish error: Not authorized (0x87)',
      });
      await changeRights(broker.server, () => true);
      await mqttSays(app, { status: 'up' });
      expect(await app.metric('mortise_mqtt_messages_total{channel="heartbeat"}')).toBe(0);

      if (scaled(0, 1) === 1) {
        await changeRights(broker.server, (line) => !isRead(line) || !line.endsWith('/acks'));
        await mqttSays(app, { ...DEAF, topics: 'v1/devices/+/acks' });
      }
    },
    240_000,
  );

  it.concurrent(
    'shows a subscription that the broker refuses, or the connection of the canary, and has it without a restart once it is granted',
    async () => {
      const broker = await startDynamicMosquitto(['v1/devices/+/acks']);
      closing.push(() => broker.stop());
      const door = await FaultProxy.inFrontOf(broker.env.MQTT_URL);
      closing.push(() => door.close());
      const app = await start({ ...broker.env, MQTT_URL: door.url });
      await mqttSays(app, {
        status: 'degraded',
        reason: 'the broker refuses a subscription',
        topic: '$share/mortise/v1/devices/+/acks',
      });
      await broker.grantAll();
      await mqttSays(app, { status: 'up' });

      // From here on without a connection for the canary.
      door.refuse('mortise-canary-');
      door.cutAll();
      await eventually('it has tried to connect again', () => door.refusals > 1);
      await mqttSays(app, { status: 'up' });
      const monotonic = jest.spyOn(app.get(Clock), 'monotonic').mockImplementation(() => performance.now() + 15_000);
      const { refusals } = door;
      await eventually('it has tried again, and again', () => door.refusals > refusals + 1);
      await mqttSays(app, { status: 'degraded', reason: 'the broker refuses the third connection of this process' });
      monotonic.mockRestore();
      door.up();
      await mqttSays(app, { status: 'up' });
    },
    120_000,
  );

  it.concurrent(
    'says that its connections push out each other, where the broker takes the username for the client id',
    async () => {
      const broker = await startMosquitto({
        settings: ['allow_anonymous false', 'password_file %folder%/passwords', 'use_username_as_clientid true'],
        accounts: { mortise: 'secret' },
      });
      closing.push(() => broker.stop());
      const app = await start({ MQTT_URL: broker.url, MQTT_USERNAME: 'mortise', MQTT_PASSWORD: 'secret' });
      const said = await mqttSays(app, { status: 'degraded', reason: 'the broker ends our connections' });
      expect(said).toMatchObject({ connection: expect.stringMatching(/^(line|orders)$/), sign: 'ends_at_once' });
      const counted = app.metric(`mortise_mqtt_evictions_total{connection="${said.connection!}",sign="${said.sign!}"}`);
      expect(await counted).toBeGreaterThan(0);
    },
    60_000,
  );
});

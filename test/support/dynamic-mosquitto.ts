import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { connectAsync } from 'mqtt';
import { UPLINK_CHANNELS, allDevices } from '../../src/contracts/mqtt.js';
import { fromEnvironment } from './environment.js';
import { type Mosquitto, startMosquitto } from './mosquitto.js';

const PLUGIN = 'mosquitto_dynamic_security.so';
const CONTROL = '$CONTROL/dynamic-security/v1';
const ITERATIONS = 101;

/** Mosquitto whose dynamic security plugin refuses a subscription at once, as most other brokers do. */
export interface DynamicMosquitto {
  /** What tells the application to use it. */
  readonly env: Readonly<Record<'MQTT_URL' | 'MQTT_USERNAME' | 'MQTT_PASSWORD', string>>;
  /** Grants what was refused at first. */
  grantAll(): Promise<void>;
  stop(): Promise<void>;
}

/** @param refused topics to which the account of the backend may not subscribe at first */
export async function startDynamicMosquitto(refused: readonly string[]): Promise<DynamicMosquitto> {
  const [password, operator] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
  const subscriptions = UPLINK_CHANNELS.map(allDevices).filter((topic) => !refused.includes(topic));
  const server = await startMosquitto({
    settings: [
      'allow_anonymous false',
      `plugin ${await findPlugin()}`,
      'plugin_opt_config_file %folder%/security.json',
      'set_tcp_nodelay true',
    ],
    files: { 'security.json': JSON.stringify(security({ password, operator, subscriptions })) },
  });
  return {
    env: { MQTT_URL: server.url, MQTT_USERNAME: 'mortise', MQTT_PASSWORD: password },
    grantAll: () => grant(server, operator, refused),
    stop: () => server.stop(),
  };
}

/** Beside the server, or where Debian keeps it. */
async function findPlugin(): Promise<string> {
  const roots = [join(dirname(fromEnvironment('TEST_MOSQUITTO')), '..', 'usr', 'lib'), '/usr/lib'];
  for (const root of roots) {
    const entries = await readdir(root, { recursive: true }).catch(() => []);
    const found = entries.find((entry) => entry.endsWith(PLUGIN));
    if (found) {
      return join(root, found);
    }
  }
  throw new Error(`${PLUGIN} is missing: it comes with the package mosquitto.`);
}

function security(given: { password: string; operator: string; subscriptions: readonly string[] }): object {
  const allow = (acltype: string, topic: string): object => ({ acltype, topic, priority: 0, allow: true });
  return {
    defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
    clients: [client('operator', given.operator, 'admin'), client('mortise', given.password, 'backend')],
    roles: [
      { rolename: 'admin', acls: [allow('publishClientSend', '$CONTROL/#'), allow('subscribePattern', '$CONTROL/#')] },
      {
        rolename: 'backend',
        acls: [allow('publishClientSend', 'v1/devices/#'), ...given.subscriptions.flatMap(subscribing)],
      },
    ],
  };
}

function subscribing(topic: string): object[] {
  return [topic, `$share/mortise/${topic}`].map((each) => ({
    acltype: 'subscribeLiteral',
    topic: each,
    priority: 0,
    allow: true,
  }));
}

function client(username: string, password: string, rolename: string): object {
  const salt = randomBytes(12);
  return {
    username,
    password: pbkdf2Sync(password, salt, ITERATIONS, 64, 'sha512').toString('base64'),
    salt: salt.toString('base64'),
    iterations: ITERATIONS,
    roles: [{ rolename, priority: 0 }],
  };
}

async function grant({ url }: Mosquitto, operator: string, topics: readonly string[]): Promise<void> {
  const control = await connectAsync(url, { username: 'operator', password: operator, protocolVersion: 5 });
  const commands = topics.flatMap(subscribing).map((acl) => ({ command: 'addRoleACL', rolename: 'backend', ...acl }));
  await control.publishAsync(CONTROL, JSON.stringify({ commands }), { qos: 1 });
  await control.endAsync();
}

import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from './failure.js';
import { stateFolder } from './paths.js';

/** What `npm start` takes from the environment. */
export interface StartSettings {
  readonly host: string;
  readonly mqttHost: string;
  readonly port: number;
  readonly mqttPort: number;
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  readonly mqttUrl: string | undefined;
  readonly demo: boolean;
}

export function readSettings(env: NodeJS.ProcessEnv): StartSettings {
  return {
    // Loopback unless asked otherwise: there, the demo account has a well-known password.
    host: env.HOST ?? '127.0.0.1',
    mqttHost: env.MQTT_HOST ?? '127.0.0.1',
    port: readPort(env, 'PORT', 3000),
    mqttPort: readPort(env, 'MQTT_PORT', 1883),
    databaseUrl: given(env.DATABASE_URL),
    redisUrl: given(env.REDIS_URL),
    mqttUrl: given(env.MQTT_URL),
    demo: env.DEMO !== '0',
  };
}

/** An empty variable is one that was not given. */
function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function readPort(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const value = Number(env[name] ?? fallback);
  if (!Number.isInteger(value) || value < 1 || value > 65_535) {
    throw new Failure(`${name} must be a port between 1 and 65535, not "${env[name] ?? ''}".`);
  }
  return value;
}

/** The key that everything secret at rest hangs on: made once per clone, unless the environment brings one. */
export async function masterKey(): Promise<string> {
  const given = process.env.MASTER_KEY;
  if (given) {
    return given;
  }
  const file = join(await stateFolder(), 'master.key');
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known) {
    return known.trim();
  }
  const key = randomBytes(32).toString('base64');
  await writeFile(file, `${key}\n`, { mode: 0o600, flag: 'wx' });
  return key;
}

/** What can be said of docker-compose.yml and the Dockerfile without running them; test/e2e/compose.spec.ts runs them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/load-config.js';
import { ROOT } from '../../tools/stack/paths.js';
import { sourcesOf } from '../support/compose/application-image.js';
import { type ComposeService, readComposeFile } from '../support/compose/compose-file.js';
import { readDockerfile } from '../support/compose/dockerfile.js';
import { imageOf } from '../support/compose/images.js';
import { newMasterKey } from '../support/installation.js';

const SECRETS = { POSTGRES_PASSWORD: 'one', MQTT_PASSWORD: 'two', MASTER_KEY: newMasterKey() };
const stages = readDockerfile(join(ROOT, 'Dockerfile'));

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mortise-compose-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function servicesWith(variables: Readonly<Record<string, string>>): readonly ComposeService[] {
  const dotenv = join(folder, '.env');
  writeFileSync(
    dotenv,
    Object.entries(variables)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join(''),
  );
  return readComposeFile(join(ROOT, 'docker-compose.yml'), dotenv);
}

function serviceWith(name: string, variables: Readonly<Record<string, string>> = SECRETS): ComposeService {
  const service = servicesWith(variables).find((one) => one.name === name);
  if (!service) {
    throw new Error(`There is no service ${name}.`);
  }
  return service;
}

describe('docker-compose.yml', () => {
  it.each(Object.keys(SECRETS))('has no default for %s, and says what to set it to', (secret) => {
    const message = new RegExp(`^required variable ${secret} is missing a value: set it in \\.env.*openssl rand`);
    expect(() => servicesWith({ ...SECRETS, [secret]: '' })).toThrow(message);
  });

  it('passes on every variable of .env.example, but for those that have to fit the other services', () => {
    const documented = [...readFileSync(join(ROOT, '.env.example'), 'utf8').matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm)];
    const given = Object.fromEntries(documented.map(([, name = '']) => [name, `given ${name}`]));
    const { environment } = serviceWith('mortise', { ...SECRETS, ...given });
    const changed = Object.keys(given).filter((name) => environment[name] !== given[name]);
    expect(changed).toEqual(['HOST', 'PORT', 'DATABASE_URL', 'REDIS_URL', 'MQTT_URL', 'MQTT_USERNAME']);
    expect(documented.length).toBeGreaterThan(50);
  });

  it('makes a configuration that the application takes, the broker and PostgreSQL by the accounts that they are given', () => {
    const { environment } = serviceWith('mortise');
    const config = loadConfig({ ...stages.at(-1)?.env, ...environment });
    expect(config.mqtt).toMatchObject({ username: 'mortise', password: SECRETS.MQTT_PASSWORD });
    expect(environment.PGPASSWORD).toBe(serviceWith('postgres').environment.POSTGRES_PASSWORD);
    expect(serviceWith('migrate').environment).toEqual(environment);
  });

  it('keeps what its services write in volumes that have a name', () => {
    const writers = ['postgres', 'mosquitto', 'mortise'];
    const targets = writers.flatMap((name) => serviceWith(name).mounts.map(({ target }) => target));
    const { STORAGE_PATH: files } = stages.at(-1)?.env ?? {};
    expect(targets).toEqual(expect.arrayContaining(['/var/lib/postgresql', '/mosquitto/data', files]));
    expect(stages.at(-1)?.runs.join()).toContain(`mkdir -p ${String(files)} && chown -R node:node`);
    expect(imageOf(serviceWith('postgres').image ?? '').volumes).toEqual(['/var/lib/postgresql']);
  });

  it('publishes the API and the listener of devices, and nothing else', () => {
    const published = servicesWith(SECRETS).flatMap(({ name, ports }) => [...ports].map((pair) => [name, ...pair]));
    expect(published).toEqual([
      ['mosquitto', 1883, 1883],
      ['mortise', 3000, 3000],
    ]);
    const listeners = readFileSync(join(ROOT, 'deploy', 'mosquitto', 'mosquitto.conf'), 'utf8').split(/^listener /m);
    const ofDevices = listeners.filter((listener) => listener.includes('use_username_as_clientid true'));
    expect(ofDevices.map((listener) => listener.split('\n')[0])).toEqual(['1883']);
  });
});

describe('The Dockerfile', () => {
  it('copies what there is', () => {
    const sources = stages.flatMap(({ copies }) => copies).flatMap((copy) => sourcesOf(stages, copy));
    expect(sources.filter((source) => !existsSync(source))).toEqual([]);
  });

  it('runs what is built, as a user who owns nothing of it', () => {
    const last = stages.at(-1);
    const scripts = [last?.command, serviceWith('migrate').command].map((argv) =>
      argv?.find((arg) => arg.endsWith('.js')),
    );
    expect(scripts.filter((script) => !existsSync(join(ROOT, script ?? 'nothing')))).toEqual([]);
    expect(last).toMatchObject({ user: 'node', env: { NODE_ENV: 'production' } });
  });

  it('takes no .env into an image', () => {
    const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['.env', '.env.*', '.git', 'node_modules']));
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp, listen } from '../../src/apps/bootstrap.js';
import { loadConfig } from '../../src/config/load-config.js';
import { EmbeddedBroker } from '../../src/platform/mqtt/embedded-broker.js';
import { createTestDatabase } from './postgres.js';
import { emptyRedis } from './redis.js';

export interface RunningApplication {
  readonly app: NestFastifyApplication;
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Where devices log in: the embedded broker, or the one that `env` names. */
  readonly mqttUrl: string;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** A folder of its own for what a test keeps in files. */
  readonly directory: string;
  stop(): Promise<void>;
}

export interface ApplicationOptions {
  /** Settings that differ from the test's defaults. */
  readonly env?: Readonly<Record<string, string>>;
  /** Modules planted by the test. */
  readonly extra?: readonly Type[];
}

/** What every process of one test installation shares. */
export async function testEnvironment(
  databaseUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  return {
    NODE_ENV: 'test',
    PORT: '0',
    MQTT_PORT: '0',
    DATABASE_URL: databaseUrl,
    DATABASE_POOL_SIZE: '8',
    REDIS_URL: await emptyRedis(),
    MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
    // Tests hurry more than people; those about limits set their own.
    RATE_LIMIT_SCALE: '100000',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    ...env,
  };
}

/** The application as production runs it, on a database, a Redis and an embedded broker of its own. */
export async function startApplication({ env, extra }: ApplicationOptions = {}): Promise<RunningApplication> {
  const database = await createTestDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'mortise-test-'));
  const settings = await testEnvironment(database.url, env);
  const config = loadConfig(settings);
  const app = await createApp(config, extra);
  await listen(app);
  const { port } = app.getHttpServer().address() as AddressInfo;
  const broker = config.roles.includes('hardware') ? app.get(EmbeddedBroker, { strict: false }).port : 0;
  return {
    app,
    url: `http://127.0.0.1:${String(port)}`,
    mqttUrl: config.mqtt.brokerUrl ?? `mqtt://127.0.0.1:${String(broker)}`,
    databaseUrl: database.url,
    redisUrl: config.redis.url,
    directory,
    async stop() {
      await app.close();
      await database.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

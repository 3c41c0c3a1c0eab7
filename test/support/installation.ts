import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIL_EVENTS_KEY } from './mail-events.js';
import { createTestDatabase } from './postgres.js';
import { emptyRedis } from './redis.js';

/** What the processes of one installation share: settings, a database, a Redis, a folder for files. */
export interface Installation {
  readonly env: Readonly<Record<string, string>>;
  readonly databaseUrl: string;
  readonly directory: string;
  /** Drops the database, unless `env` named it, and removes the folder. */
  remove(): Promise<void>;
}

/**
 * The settings of tests, overridden by `env`, and what they need. A `DATABASE_URL` or `REDIS_URL` in `env` is used as it
 * is, so that several processes of one test can share it; otherwise both are new and empty.
 */
export async function createInstallation(env: Readonly<Record<string, string>> = {}): Promise<Installation> {
  const database = env.DATABASE_URL === undefined ? await createTestDatabase() : undefined;
  const databaseUrl = database?.url ?? env.DATABASE_URL ?? '';
  const directory = await mkdtemp(join(tmpdir(), 'mortise-test-'));
  return {
    env: await testEnvironment(databaseUrl, { STORAGE_PATH: join(directory, 'files'), ...env }),
    databaseUrl,
    directory,
    async remove() {
      await database?.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The settings of one process on this database. Empties Redis unless `env` names one. */
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
    REDIS_URL: env.REDIS_URL ?? (await emptyRedis()),
    MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
    // Tests send more requests than people; those about limits set their own.
    RATE_LIMIT_SCALE: '100000',
    MAIL_EVENTS_PUBLIC_KEY: MAIL_EVENTS_KEY,
    SECURITY_CONTACT: 'mailto:security@example.com',
    // Any key: browsers may subscribe.
    VAPID_PRIVATE_KEY: Buffer.alloc(32, 2).toString('base64url'),
    VAPID_SUBJECT: 'mailto:ops@example.com',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    ...env,
  };
}

/** Another installation's `MASTER_KEY`. */
export function newMasterKey(): string {
  return randomBytes(32).toString('base64');
}

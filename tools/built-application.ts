import type { INestApplication } from '@nestjs/common';
import { createApp } from '../src/apps/bootstrap.js';
import { loadConfig } from '../src/config/load-config.js';

/** The settings without a default. None of these services is reached, because the application is only built. */
const UNREACHED = {
  NODE_ENV: 'test',
  ROLES: 'api',
  LOG_LEVEL: 'silent',
  DATABASE_URL: 'postgres://127.0.0.1:1/nowhere',
  REDIS_URL: 'redis://127.0.0.1:1',
  MASTER_KEY: Buffer.alloc(32).toString('base64'),
};

/** Builds the application without starting it, reads something from it, and closes it. */
export async function readFromApplication<T>(read: (app: INestApplication) => T): Promise<T> {
  const app = await createApp(loadConfig(UNREACHED));
  try {
    return read(app);
  } finally {
    await app.close();
  }
}

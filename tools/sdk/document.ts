import type { OpenAPIObject } from '@nestjs/swagger';
import { apiDocument } from '../../src/apps/api-document.js';
import { createApp } from '../../src/apps/bootstrap.js';
import { loadConfig } from '../../src/config/load-config.js';

/** What a configuration must name; nothing of it is ever reached, because the application is only built. */
const UNREACHED = {
  NODE_ENV: 'test',
  ROLES: 'api',
  LOG_LEVEL: 'silent',
  DATABASE_URL: 'postgres://127.0.0.1:1/nowhere',
  REDIS_URL: 'redis://127.0.0.1:1',
  MASTER_KEY: Buffer.alloc(32).toString('base64'),
};

/** The OpenAPI document as the running application serves it, without any of the services that it needs to run. */
export async function readApiDocument(): Promise<OpenAPIObject> {
  const app = await createApp(loadConfig(UNREACHED));
  try {
    return apiDocument(app);
  } finally {
    await app.close();
  }
}

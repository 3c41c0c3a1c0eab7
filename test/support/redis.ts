import { Redis } from 'ioredis';
import { fromEnvironment } from './environment.js';

/** The logical Redis database of this Jest worker, emptied: no test sees the keys of another. */
export async function emptyRedis(): Promise<string> {
  const url = new URL(fromEnvironment('TEST_REDIS_URL'));
  url.pathname = `/${process.env.JEST_WORKER_ID ?? '0'}`;
  const client = new Redis(url.href);
  await client.flushdb();
  client.disconnect();
  return url.href;
}

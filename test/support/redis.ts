import { Redis } from 'ioredis';
import { ofThisWorker } from './environment.js';

/** The Redis of this Jest worker, emptied: no test sees the keys of another. */
export async function emptyRedis(): Promise<string> {
  const url = ofThisWorker('TEST_REDIS_URL');
  const client = new Redis(url);
  await client.flushdb();
  client.disconnect();
  return url;
}

import { Redis } from 'ioredis';
import { ofThisWorker } from './environment.js';
import { eventually } from './wait.js';

/** The Redis of this Jest worker, emptied: no test sees the keys of another. */
export async function emptyRedis(): Promise<string> {
  const url = ofThisWorker('TEST_REDIS_URL');
  const client = new Redis(url);
  await client.flushdb();
  client.disconnect();
  return url;
}

/**
 * A connection that is told each command of the server. ioredis takes a command of others that comes in one packet with the answer
 * for an error, and connects again.
 */
export async function openMonitor(redis: Redis): Promise<Redis> {
  const monitor = redis.duplicate({ monitor: true });
  let isTold = false;
  monitor.on('error', () => undefined);
  monitor.on('monitoring', () => {
    isTold = true;
  });
  await eventually('Redis tells its commands', () => isTold);
  return monitor;
}

/**
 * At the start, whoever needs Redis waits for the first attempt to connect. Seen to fail: without the wait, and with the time
 * limit of an answer for the handshake, "Stream isn't writeable".
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import { loadConfig } from '../../src/config/load-config.js';
import { connectionAttempt, RedisClients } from '../../src/platform/redis/redis-clients.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { testEnvironment } from '../support/installation.js';
import { emptyRedis } from '../support/redis.js';

let warnings: unknown[] = [];
const LOGGER = {
  setContext: () => undefined,
  info: () => undefined,
  warn: (fields: unknown) => warnings.push(fields),
} as unknown as PinoLogger;

let clients: RedisClients;
let proxy: FaultProxy;

async function clientsOf(prepare: (proxy: FaultProxy) => void): Promise<RedisClients> {
  proxy = await FaultProxy.inFrontOf(await emptyRedis());
  prepare(proxy);
  const env = await testEnvironment('postgresql://127.0.0.1:1/x', { REDIS_URL: proxy.url });
  warnings = [];
  clients = new RedisClients(loadConfig(env), LOGGER);
  return clients;
}

afterEach(async () => {
  clients.onApplicationShutdown();
  await proxy.close();
});

describe('The connections to Redis at the start', () => {
  it('are there when the application is, however slow the network is', async () => {
    const { app } = await clientsOf((slow) => {
      // Longer than the application waits for an answer, as on a busy machine.
      slow.slow(60);
    });
    await clients.onModuleInit();
    proxy.up();
    expect(await app.ping()).toBe('PONG');
    expect(warnings).toEqual([]);
  });

  it('are waited for by several at the same time', async () => {
    await clientsOf((slow) => {
      slow.slow(50);
    });
    const client = clients.dedicated('several', { lazyConnect: true, maxRetriesPerRequest: 0 });
    const ping = async () => {
      await connectionAttempt(client);
      return client.ping();
    };
    expect(await Promise.all([ping(), ping(), ping()])).toEqual(['PONG', 'PONG', 'PONG']);
  });

  it('hold up no start while Redis is away, and say why in a line without a stack trace', async () => {
    await clientsOf((away) => {
      away.down();
    });
    const began = performance.now();
    await clients.onModuleInit();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(warnings).toEqual([{ purpose: 'app', reason: expect.any(String) }]);
  });
});

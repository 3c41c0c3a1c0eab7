/**
 * What one request asks of Redis and PostgreSQL. Seen to fail with a charge that is asked about by itself, and with a cached answer
 * that is asked for by itself.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Database } from '../../src/platform/prisma/database.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { CacheKeys, isHit, warm } from '../support/cache.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { openMonitor } from '../support/redis.js';
import { type Answer, request } from '../support/rest.js';
import { StatementTrace } from '../support/statement-trace.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const LIST = '/api/v1/devices?limit=20';

let app: TestApp;
let redis: Redis;
let trace: StatementTrace;
/** One of them has a device, and the other one twenty. */
let few: Account;
let many: Account;
let device: RegisteredDevice;
let turn = 100;

beforeAll(async () => {
  app = await TestApp.start({ env: { ROLES: 'api', TRUSTED_PROXIES: '127.0.0.1/32' } });
  redis = new Redis(app.redisUrl);
  [few, many] = await Promise.all([createAccount(app.url), createAccount(app.url)]);
  device = await registerDevice(app.url, few);
  await Promise.all(Array.from({ length: 20 }, () => registerDevice(app.url, many)));
  trace = new StatementTrace(app.get(Database));
});

afterAll(async () => {
  redis.disconnect();
  await app.stop();
});

/** Commands of the application's connection while `send` is under way, without those that Lua makes. */
async function commandsOf(send: () => Promise<Answer>): Promise<string[]> {
  const clients = String(await redis.client('LIST')).split('\n');
  const ours = / addr=(\S+)/.exec(clients.find((line) => line.includes(' name=mortise:app ')) ?? '')?.[1];
  const monitor = await openMonitor(redis);
  const commands: string[] = [];
  monitor.on('monitor', (_time: string, [name = '', text = '']: string[], source: string) => {
    if (source === ours || name === 'echo') {
      commands.push(name === 'echo' ? text : name);
    }
  });
  try {
    await redis.echo('begin');
    await send();
    await redis.echo('end');
    await eventually('all commands were seen', () => commands.includes('end'));
  } finally {
    monitor.disconnect();
  }
  return commands.slice(commands.indexOf('begin') + 1, commands.indexOf('end'));
}

describe('an authenticated request', () => {
  it.each<[string, readonly string[], (who: Account) => Promise<Answer>]>([
    ['a list', ['evalsha'], ({ accessToken: token }) => request(app.url, 'GET', LIST, { token })],
    [
      'one device',
      ['evalsha'],
      ({ accessToken: token }) => request(app.url, 'GET', `/api/v1/devices/${device.id}`, { token }),
    ],
    // That the session stands, which was looked up in PostgreSQL, is told to the other processes.
    [
      'an order with a limit of its own',
      ['set', 'evalsha'],
      (who) => sendCommand(app.url, who, device.id, { name: 'unlock_door' }),
    ],
  ])('for %s asks Redis about all of its limits at once', async (_what, expected, send) => {
    // Now and then a session is looked up in Redis, a probe asks whether Redis is there, or it did not answer in time.
    await eventually('it asks once', async () => {
      const commands = await commandsOf(() => send(few));
      expect(commands.filter((name) => name === 'evalsha').length).toBeLessThanOrEqual(1);
      return JSON.stringify(commands) === JSON.stringify(expected);
    });
  });

  it('for a list asks PostgreSQL the same two statements, however many devices there are', async () => {
    const statementsOf = async (who: Account, address: string): Promise<string[]> => {
      const { body } = await request<{ items: unknown[] }>(app.url, 'GET', LIST, {
        token: who.accessToken,
        headers: { 'x-forwarded-for': address },
      });
      expect(body.items).toHaveLength(who === many ? 20 : 1);
      return trace.of(address).map((statement) => statement.slice(0, statement.indexOf('(')));
    };
    const names = ['device_access_shared', 'devices_list_createdat_desc'];
    expect(await statementsOf(few, '192.0.2.1')).toEqual(names);
    expect(await statementsOf(many, '192.0.2.2')).toEqual(names);
  });
});

describe('a cached list', () => {
  let keys: CacheKeys;

  beforeAll(() => {
    keys = CacheKeys.open(app.redisUrl);
  });
  afterAll(() => {
    keys.close();
  });

  it('asks Redis one question, together with the limits, and PostgreSQL nothing: whole, and as a 304', async () => {
    const { headers } = await warm({ base: app.url, accessToken: many.accessToken }, '/devices?limit=20', keys);
    const conditions = [{}, { 'if-none-match': headers.get('etag') ?? '' }];
    for (const [index, condition] of conditions.entries()) {
      // Now and then a session is looked up, as above; a list that went meanwhile is loaded.
      await eventually('it asks once', async () => {
        const address = `192.0.2.${String((turn += 1))}`;
        let answer: Answer | undefined;
        const commands = await commandsOf(async () => {
          answer = await request(app.url, 'GET', LIST, {
            token: many.accessToken,
            headers: { 'x-forwarded-for': address, ...condition },
          });
          return answer;
        });
        if (!answer || !isHit(answer)) {
          return false;
        }
        expect(answer.status).toBe([200, 304][index]);
        expect(commands.filter((name) => name === 'evalsha')).toHaveLength(1);
        return commands.length === 1 && trace.of(address).length === 0;
      });
    }
  });

  it('that is loaded and stored asks twice', async () => {
    await eventually('it asks twice', async () => {
      await keys.forget();
      const commands = await commandsOf(async () => {
        const answer = await request(app.url, 'GET', LIST, { token: many.accessToken });
        await eventually('it is stored', async () => (await keys.entriesOf(many.id)) > 0);
        return answer;
      });
      expect(commands.filter((name) => name === 'evalsha').length).toBeLessThanOrEqual(2);
      return JSON.stringify(commands) === JSON.stringify(['evalsha', 'evalsha']);
    });
  });
});

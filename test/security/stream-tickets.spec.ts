/**
 * A ticket opens one event stream, in place of an access token: once, within seconds, at one route, while its session stands.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { RedisClients } from '../../src/platform/redis/redis-clients.js';
import { EventStreamRegistry } from '../../src/features/realtime/streams/event-stream-registry.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { EventStreamClient } from '../support/event-stream-client.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { ApplicationProcess } from '../support/process.js';
import { scaled } from '../support/promise.js';
import { type Answer, request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const ROUTE = '/api/v1/events/stream';

let installation: Installation;
let redis: FaultProxy;
let app: TestApp;
let ada: InsertedAccount;
let store: Redis;
/** It writes every line that there is into its log. */
let talkative: ApplicationProcess;
const opened: EventStreamClient[] = [];

beforeAll(async () => {
  installation = await createInstallation({});
  redis = await FaultProxy.inFrontOf(installation.env.REDIS_URL ?? '');
  const env = {
    DATABASE_URL: installation.env.DATABASE_URL ?? '',
    REDIS_URL: redis.url,
    RATE_LIMIT_SCALE: '100',
    RATE_LIMIT_ANONYMOUS: '1/1m',
    TRUSTED_PROXIES: '127.0.0.1/32',
    ADDRESS_BLOCK_AFTER: '3',
  };
  [app, talkative] = await Promise.all([
    TestApp.start({ env }),
    ApplicationProcess.start({ ...installation.env, ROLES: 'api', LOG_LEVEL: 'trace' }),
  ]);
  store = app.get(RedisClients).dedicated('test', { enableOfflineQueue: true });
}, 60_000);

afterAll(async () => {
  opened.forEach((stream) => {
    stream.close();
  });
  await talkative.kill();
  await app.stop();
  await redis.close();
  await installation.remove();
});

beforeEach(async () => {
  ada = await insertAccount(app, { name: 'ada' });
});

function issue(who = ada): Promise<Answer<{ ticket: string; expiresIn: number }>> {
  return request(app.url, 'POST', '/api/v1/events/tickets', { token: who.accessToken });
}

async function ticket(): Promise<string> {
  return (await issue()).body.ticket;
}

async function open(with_: string, headers: Record<string, string> = {}): Promise<EventStreamClient> {
  const stream = await EventStreamClient.open(app.url, `?ticket=${with_}`, { headers });
  opened.push(stream);
  return stream;
}

async function refusal(stream: EventStreamClient): Promise<unknown[]> {
  return [stream.status, (await stream.problem()).code];
}

describe('A ticket', () => {
  it('opens an event stream, once', async () => {
    const { status, body, headers } = await issue();
    expect([status, body.expiresIn, headers.get('cache-control')]).toEqual([201, 30, 'no-store']);
    // 32 random bytes, and a tag by which they are known to be ours.
    expect(body.ticket).toMatch(/^[\w-]{43}\.[\w-]{22}$/);
    const stream = await (await open(body.ticket)).joined();
    await request(app.url, 'POST', '/api/v1/devices', {
      token: ada.accessToken,
      body: { name: 'Door', hardwareId: 'lock-1' },
    });
    await eventually('it is hers', () => stream.feed.length > 0);
    expect(await refusal(await open(body.ticket))).toEqual([401, 'ticket_invalid']);
    expect(stream.isEnded).toBe(false);
  });

  it('opens one of fifty streams that are asked for at one moment', async () => {
    for (let round = 0; round < scaled(2, 50); round += 1) {
      const one = await ticket();
      const streams = await Promise.all(
        Array.from({ length: 50 }, () => open(one, { 'x-forwarded-for': `198.51.100.${String(round)}` })),
      );
      expect(streams.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(streams.filter(({ status }) => status === 401)).toHaveLength(49);
    }
  });

  it('opens nothing when it is another one, cut, longer, or none', async () => {
    const one = await ticket();
    for (const wrong of ['', 'x', one.slice(1), `${one}A`, one.replace('.', ''), 'A'.repeat(43), one.toLowerCase()]) {
      expect([wrong, ...(await refusal(await open(encodeURIComponent(wrong))))]).toEqual([
        wrong,
        401,
        'ticket_invalid',
      ]);
    }
    // None of these has used it up.
    expect((await open(one)).status).toBe(200);
  });

  it('opens no other route, and no stream by HEAD, which leaves it as it is', async () => {
    const one = await ticket();
    for (const [method, path] of [
      ['GET', '/api/v1/devices'],
      ['GET', '/api/v1/events'],
      ['GET', '/api/v1/users/me'],
      ['POST', '/api/v1/events/tickets'],
      ['HEAD', ROUTE],
    ] as const) {
      expect([path, (await request(app.url, method, `${path}?ticket=${one}`)).status]).toEqual([path, 401]);
    }
    expect((await request(app.url, 'GET', ROUTE, { headers: { 'x-ticket': one } })).status).toBe(401);
    expect((await open(one)).status).toBe(200);
  });

  it('lives for half a minute, and its hash is all that is kept', async () => {
    const one = await ticket();
    const keys = await store.keys('mortise:ticket:*');
    const texts = await Promise.all(keys.map(async (key) => `${key} ${(await store.get(key)) ?? ''}`));
    expect(texts.filter((text) => text.includes(one.slice(0, 43)))).toEqual([]);
    const lives = await Promise.all(keys.map((key) => store.pttl(key)));
    expect(lives.filter((ms) => ms > 30_000 || ms < 0)).toEqual([]);
    await Promise.all(keys.map((key) => store.pexpire(key, 1)));
    await eventually('it has expired', async () => (await store.keys('mortise:ticket:*')).length === 0);
    expect(await refusal(await open(one))).toEqual([401, 'ticket_invalid']);
  });

  it('is not made by who writes into Redis: neither for another person, nor for a session that was not asked for', async () => {
    const eve = await insertAccount(app, { name: 'eve' });
    const hers = (await issue(eve)).body.ticket;
    const [key = ''] = await store.keys('mortise:ticket:*');
    const stored = (await store.get(key)) ?? '';
    expect(stored).toContain(eve.id);
    await store.set(key, stored.replaceAll(eve.id, ada.id), 'EX', 30);
    expect(await refusal(await open(hers))).toEqual([401, 'ticket_invalid']);
  });

  it('opens nothing after its session has ended, which its client is told', async () => {
    const one = await ticket();
    expect((await request(app.url, 'POST', '/api/v1/auth/logout', { token: ada.accessToken })).status).toBe(204);
    expect(await refusal(await open(one))).toEqual([401, 'session_ended']);
  });

  it('gives a stream that ends as the token would for which it was issued', async () => {
    const stream = await (await open(await ticket())).joined();
    const registry = app.get(EventStreamRegistry);
    registry.look(Date.now() + 15 * 60_000);
    expect(stream.isEnded).toBe(false);
    registry.look(Date.now() + 16 * 60_000);
    await stream.ended();
    expect(stream.of('closing')).toMatchObject([{ code: 'token_expired', status: 401 }]);
  });

  it('passes a block of its address, once; what is used up or invented is counted as anonymous there', async () => {
    const address = { 'x-forwarded-for': '203.0.113.9' };
    const one = await ticket();
    const invented = `${'A'.repeat(43)}.${'A'.repeat(22)}`;
    await eventually('the address is blocked', async () =>
      JSON.stringify(await refusal(await open(invented, address))).includes('address_blocked'),
    );
    expect((await open(one, address)).status).toBe(200);
    await open(one, address);
    expect(await refusal(await open(one, address))).toEqual([429, 'address_blocked']);
    // An access token passes it as everywhere.
    const byToken = await EventStreamClient.open(app.url, '', { token: ada.accessToken, headers: address });
    expect(byToken.status).toBe(200);
    byToken.close();
  });

  it('is in no line that is logged, and in no answer', async () => {
    const one = await ticket();
    const good = await (await EventStreamClient.open(talkative.url, `?ticket=${one}`)).joined();
    const spent = await EventStreamClient.open(talkative.url, `?ticket=${one}`);
    const problem = JSON.stringify(await spent.problem());
    const elsewhere = await request(talkative.url, 'GET', `/api/v1/devices?ticket=${one}`, { token: ada.accessToken });
    await talkative.stop();
    await good.ended();
    expect([good.of('closing'), elsewhere.status]).toMatchObject([[{ code: 'shutting_down' }], 400]);
    expect(talkative.output).toContain('/api/v1/events/stream');
    expect([problem, JSON.stringify(elsewhere.body), talkative.output].filter((text) => text.includes(one))).toEqual(
      [],
    );
  });

  it('is not given while Redis is away, and is lost with it; a new one is good again', async () => {
    const one = await ticket();
    redis.down();
    await eventually('there is none', async () => (await issue()).status === 503);
    const { headers } = await issue();
    expect(headers.get('retry-after')).toBe('2');
    expect(await refusal(await open(one))).toEqual([503, 'service_unavailable']);
    redis.up();
    await eventually('there is one', async () => (await issue()).status === 201);
    await eventually('it is wiped', () =>
      store.flushall().then(
        () => true,
        () => false,
      ),
    );
    expect(await refusal(await open(one))).toEqual([401, 'ticket_invalid']);
    expect((await open(await ticket())).status).toBe(200);
  });
});

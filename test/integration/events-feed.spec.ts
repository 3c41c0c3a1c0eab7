import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { EventStore } from '../../src/platform/events/event-store.js';
import { FeedRelay } from '../../src/platform/events/feed-relay.js';
import { LiveFeed } from '../../src/platform/events/live-feed.js';
import { LIVE_FEED, ReaderCursorsRepository } from '../../src/platform/events/reader-cursors.repository.js';
import { ReaderLeaseStore } from '../../src/platform/events/reader-lease-store.js';
import { Database } from '../../src/platform/prisma/database.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { liveEvents, numbered, numbersOf, startEventLog, upTo } from '../support/events.fixture.js';
import type { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';

const FROM_STREAM = 'mortise_live_feed_events_total{source="stream"}';
const FROM_LOG = 'mortise_live_feed_events_total{source="log"}';

describe('the live feed', () => {
  let database: TestDatabase;
  let proxy: FaultProxy;
  let redis: Redis;
  let redisUrl: string;
  let nodes: TestApp[];

  beforeEach(async () => {
    database = await createTestDatabase();
    redisUrl = await emptyRedis();
    proxy = await FaultProxy.inFrontOf(redisUrl);
    redis = new Redis(redisUrl);
    nodes = [];
  });

  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    redis.disconnect();
    await proxy.close();
    await database.drop();
  });

  async function start(role: 'relay' | 'api', options: { through?: string } = {}): Promise<TestApp> {
    const edges = role === 'relay' ? [FeedRelay] : [];
    const node = await startEventLog({ databaseUrl: database.url, redisUrl: options.through ?? redisUrl, edges });
    nodes.push(node);
    return node;
  }

  const streamKey = async (node: TestApp) => `mortise:feed:${await node.get(EventStore).generation()}`;
  const copied = (node: TestApp) => async () => redis.xlen(await streamKey(node));
  /** Until it waits at the stream's end, a node finds what it needs in PostgreSQL. */
  const tailing = (nodesTailing = 1) =>
    eventually('the stream is tailed', async () => {
      const clients = String(await redis.client('LIST')).split('\n');
      const here = clients.filter((line) => line.includes(` db=${new URL(redisUrl).pathname.slice(1)} `));
      return here.filter((line) => line.includes(' cmd=xread ')).length >= nodesTailing;
    });
  const relayed = async (node: TestApp, count: number) =>
    eventually(`${String(count)} entries are relayed`, async () => (await copied(node)()) >= count);

  it('delivers what was committed, in order and once, on every node', async () => {
    const relay = await start('relay');
    const one = await start('api');
    const other = await start('api');
    const received = [await liveEvents(one), await liveEvents(other)];
    await tailing(2);
    for (const n of upTo(30)) {
      await relay.get(EventLog).append(upTo(10, n * 10).map((m) => numbered(m)));
    }
    await eventually('both received all', () => received.every((events) => events.length >= 300));
    expect(numbersOf(received[0] ?? [])).toEqual(upTo(300));
    expect(numbersOf(received[1] ?? [])).toEqual(upTo(300));
    expect(await one.metric(FROM_STREAM)).toBeGreaterThan(0);
    expect(one.get(LiveFeed).cursor).toBe(received[0]?.at(-1)?.cursor);
  });

  it('delivers sooner than the polling interval', async () => {
    const relay = await start('relay');
    const received = await liveEvents(await start('api'));
    await relay.get(EventLog).append(numbered(0));
    await eventually('the feed runs', () => received.length === 1);
    const times: number[] = [];
    for (const n of upTo(20, 1)) {
      const started = performance.now();
      await relay.get(EventLog).append(numbered(n));
      await eventually('it is received', () => received.length > n);
      times.push(performance.now() - started);
    }
    const median = times.sort((a, b) => a - b)[10] ?? Infinity;
    expect(median).toBeLessThan(200);
  });

  it('says nothing of a transaction that was rolled back', async () => {
    const relay = await start('relay');
    const received = await liveEvents(await start('api'));
    const failing = relay.get(Transactions).run(async () => {
      await relay.get(EventLog).append(numbered(1));
      throw new Error('after the append');
    });
    await expect(failing).rejects.toThrow('after the append');
    await relay.get(EventLog).append(numbered(2));
    await eventually('the next one is received', () => received.length > 0);
    expect(numbersOf(received)).toEqual([2]);
  });

  it('goes on when a listener throws, and counts it under its name', async () => {
    const relay = await start('relay');
    const node = await start('api');
    node.get(LiveFeed).subscribe(() => {
      throw new Error('of no concern to the others');
    }, 'broken');
    const received = await liveEvents(node);
    await relay.get(EventLog).append([numbered(1), numbered(2)]);
    await eventually('the other listener received both', () => received.length === 2);
    expect(await node.metric('mortise_live_feed_listener_failures_total{listener="broken"}')).toBe(2);
  });

  it('fills the gap from PostgreSQL when Redis was wiped', async () => {
    const relay = await start('relay');
    const node = await start('api', { through: proxy.url });
    const received = await liveEvents(node);
    await relay.get(EventLog).append(numbered(0));
    await eventually('the first is received', () => received.length === 1);
    proxy.down();
    await relay.get(EventLog).append(upTo(3, 1).map((n) => numbered(n)));
    await relayed(relay, 4);
    await redis.flushdb();
    proxy.up();
    await relay.get(EventLog).append(numbered(4));
    await eventually('all are received', () => received.length >= 5);
    expect(numbersOf(received)).toEqual(upTo(5));
  });

  it('fills the gap from PostgreSQL when the stream was trimmed while it was away', async () => {
    const relay = await start('relay');
    const received = await liveEvents(await start('api'));
    await tailing();
    await relay.get(EventLog).append(numbered(0));
    await eventually('the first is received', () => received.length === 1);
    // While nothing is read, entries come and go: only the last one stays.
    const key = await streamKey(relay);
    const all = await redis.multi().client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes').xtrim(key, 'MAXLEN', 0).exec();
    expect(all).not.toBeNull();
    await relay.get(EventLog).append(upTo(800, 1).map((n) => numbered(n)));
    await eventually('all are received', () => received.length >= 801);
    await redis.xtrim(key, 'MAXLEN', 1);
    await relay.get(EventLog).append(numbered(801));
    await eventually('the last is received', () => received.length >= 802);
    expect(numbersOf(received)).toEqual(upTo(802));
  });

  it('drops what the stream repeats, and takes from PostgreSQL what the stream leaves out', async () => {
    // The test is the relay: it writes what a crashed, a stopped and a confused one would.
    const node = await start('api');
    const store = node.get(EventStore);
    const received = await liveEvents(node);
    await tailing();
    const key = await streamKey(node);
    // On a slow machine the node may have read PostgreSQL before the stream was written: then again, a few times.
    let told = 0;
    while (told < 30 && (await node.metric(FROM_STREAM)) === 0) {
      await node.get(EventLog).append(upTo(6, told).map((n) => numbered(n)));
      const entries = (await store.listAfter({ xid: 0n, id: 0n }, 50)).slice(told);
      const at = (n: number) => {
        const { xid, id } = entries[n]?.position ?? { xid: 0n, id: 0n };
        return `${String(xid)}.${String(id)}`;
      };
      const written = redis.multi();
      const add = (n: number) =>
        written.xadd(key, '*', 'p', at(n), 'b', at(n - 1), 'e', JSON.stringify(entries[n]?.event ?? {}));
      [0, 1, 0].forEach(add);
      written.xadd(key, '*', 'what', 'is this');
      [4, 3, 5].forEach(add);
      await written.exec();
      told += 6;
      await eventually('all are received', () => received.length >= told);
      expect(numbersOf(received)).toEqual(upTo(told));
    }
    expect(await node.metric(FROM_STREAM)).toBeGreaterThan(0);
  });

  it.each(['down', 'blackhole'] as const)(
    'polls PostgreSQL while Redis is away (%s), and comes back',
    async (fault) => {
      const relay = await start('relay');
      const node = await start('api', { through: proxy.url });
      const received = await liveEvents(node);
      await relay.get(EventLog).append(numbered(0));
      await eventually('the first is received', () => received.length === 1);
      proxy[fault]();
      await relay.get(EventLog).append([numbered(1), numbered(2)]);
      await eventually('they are received without Redis', () => received.length === 3);
      expect(await node.metric(FROM_LOG)).toBeGreaterThan(0);
      proxy.up();
      const before = await node.metric(FROM_STREAM);
      let n = 3;
      await eventually('the stream is read again', async () => {
        await relay.get(EventLog).append(numbered(n++));
        return (await node.metric(FROM_STREAM)) > before;
      });
      await eventually('all are received', () => received.length >= n);
      expect(numbersOf(received)).toEqual(upTo(n));
    },
  );

  it('is received without any relay, only later', async () => {
    const node = await start('api');
    const received = await liveEvents(node);
    await node.get(EventLog).append(numbered(1));
    await eventually('it is received', () => received.length === 1, 3_000);
  });

  it('is relayed again after Redis was away from the relay', async () => {
    const relay = await start('relay', { through: proxy.url });
    await relay.get(EventLog).append(numbered(0));
    await relayed(relay, 1);
    proxy.down();
    await relay.get(EventLog).append(numbered(1));
    proxy.up();
    await relayed(relay, 2);
  });

  it('is handed to another relay at once when one shuts down', async () => {
    const first = await start('relay');
    await first.get(EventLog).append(numbered(0));
    await relayed(first, 1);
    const second = await start('relay');
    const received = await liveEvents(await start('api'));
    const held = 'SELECT fence FROM event_readers WHERE name = $1 AND holder IS NOT NULL';
    const [lease] = await second.rows<{ fence: string }>(held, [LIVE_FEED]);
    expect(lease).toBeDefined();
    nodes.splice(nodes.indexOf(first), 1);
    await first.stop();
    // The lease does not run out: it is free by now, or the other one's.
    expect(await second.rows(`${held} AND fence = $2`, [LIVE_FEED, lease?.fence])).toEqual([]);
    await second.get(EventLog).append(numbered(1));
    await relayed(second, 2);
    await eventually('it is received', () => received.length === 1);
  });

  it('cannot be moved by a relay whose lease another one took', async () => {
    const node = await start('api');
    const leases = node.get(ReaderLeaseStore);
    const stale = await leases.take(LIVE_FEED, randomUUID());
    expect(stale).not.toBeNull();
    expect(await leases.take(LIVE_FEED, randomUUID())).toBeNull();
    await node.get(Database).query('test_expire', "UPDATE event_readers SET lease_until = now() - interval '1 s'");
    const fresh = await leases.take(LIVE_FEED, randomUUID());
    if (!stale || !fresh) {
      throw new Error('no lease');
    }
    expect(await leases.advance(stale, { xid: 9n, id: 9n })).toBeNull();
    await leases.release(stale);
    expect(await node.get(ReaderCursorsRepository).find(LIVE_FEED)).toEqual({ xid: 0n, id: 0n });
    expect(await leases.advance(fresh, { xid: 1n, id: 1n })).toMatchObject({ position: { xid: 1n, id: 1n } });
    expect(await leases.take(LIVE_FEED, randomUUID())).toBeNull();
  });
});

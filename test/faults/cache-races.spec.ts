/**
 * Writers and readers over two processes that are killed, and a Redis that is wiped: no answer is older than a write that had been
 * answered before the read began; and what happens to a write whose mark Redis does not take, or whose process dies behind it.
 * Seen to fail: without the marks before COMMIT and what takes them away after it (the race and the revocation), where Redis is not told of what stands in the table (what shows within three seconds),
 * with looks that go by the time at which a row was written (the long transaction), and where a Redis that was wiped is trusted at once.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { CacheInvalidationsRepository } from '../../src/platform/cache/cache-invalidations.repository.js';
import { type InsertedAccount, insertAccount } from '../support/accounts.fixture.js';
import { behindMark, CacheRace, createHousehold, type Listed } from '../support/cache-race.js';
import { CacheKeys, type CacheReader, type CacheReport, isHit, read, warm } from '../support/cache.fixture.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { transactionsEnded } from '../support/log-horizon.js';
import { counter } from '../support/metrics.js';
import { ApplicationProcess } from '../support/process.js';
import { recordFigure, scaled } from '../support/promise.js';
import { type Answer, request } from '../support/rest.js';
import { Sql } from '../support/sql.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const HOUSEHOLDS = 5;
const RUN_MS = scaled(4_000, 180_000);
const TROUBLE_EVERY_MS = scaled(1_000, 2_000);
/** As docs/cache.md says. */
const STALE_AT_MOST_MS = 3_000;
const LIST = '/devices?limit=50';
const NO_READINGS = '/devices?fields=id,name,version&sort=name';

let here: TestApp;
let others: ApplicationProcess[];
let proxy: FaultProxy;
let keys: CacheKeys;
let sql: Sql;

beforeAll(async () => {
  here = await TestApp.start();
  proxy = await FaultProxy.inFrontOf(here.redisUrl);
  keys = CacheKeys.open(here.redisUrl);
  sql = await Sql.open(here.databaseUrl);
  const env = {
    NODE_ENV: 'test',
    ROLES: 'api',
    DATABASE_URL: here.databaseUrl,
    DATABASE_POOL_SIZE: '8',
    MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
    RATE_LIMIT_SCALE: '100000',
    LOG_LEVEL: 'silent',
  };
  others = await Promise.all([
    ApplicationProcess.start({ ...env, REDIS_URL: here.redisUrl }),
    ApplicationProcess.start({ ...env, REDIS_URL: proxy.url }),
  ]);
}, 120_000);

beforeEach(async () => {
  proxy.up();
  await Promise.all(others.map((process) => (process.hasEnded ? process.start() : Promise.resolve())));
}, 120_000);

afterAll(async () => {
  await Promise.all(others.map((process) => process.kill()));
  keys.close();
  await sql.end();
  await proxy.close();
  await here.stop();
});

const bases = (): string[] => others.map(({ url }) => url);
const as = <T = Record<string, unknown>>(
  who: InsertedAccount,
  method: string,
  path: string,
  body?: object,
  base = here.url,
) => request<T>(base, method, `/api/v1${path}`, { token: who.accessToken, body });
const reader = (who: InsertedAccount, base = bases()[0] ?? ''): CacheReader => ({ base, accessToken: who.accessToken });

const namesOf = (answer: Answer<Listed> | undefined): string[] =>
  (answer?.body.items ?? []).map(({ name }) => name).sort();

describe('P-06: cached answers of two processes', () => {
  it(
    'are never older than a write that was answered before the read began',
    async () => {
      const households = await Promise.all(Array.from({ length: HOUSEHOLDS }, () => createHousehold(here)));
      const end = performance.now() + RUN_MS;
      const isRunning = (): boolean => performance.now() < end;
      const race = new CacheRace(bases(), isRunning);
      const trouble = async (): Promise<void> => {
        for (let turn = 0; isRunning(); turn++) {
          await pause(TROUBLE_EVERY_MS);
          if (turn % 2 === 0) {
            await keys.wipe();
            race.counts.wipes++;
          } else {
            race.counts.kills++;
            const victim = others[(turn >> 1) % 2];
            await victim?.kill();
            await victim?.start();
          }
          // The minute in short: what it waits for has happened.
          await transactionsEnded(sql);
          await keys.endQuietMinute();
        }
      };
      await Promise.all(households.map(({ owner }) => warm(reader(owner), LIST, keys)));
      const each = Array.from({ length: 20 }, (_, index) => households[index % HOUSEHOLDS]!);
      await Promise.all([
        ...each.map((household, index) => race.write(household, index)),
        ...each.map((household, index) => race.read(household, index)),
        trouble(),
      ]);
      const { counts, stale } = race;
      expect(stale).toEqual([]);
      expect(Math.min(counts.writes, counts.hits, counts.notModified, counts.wipes, counts.kills)).toBeGreaterThan(0);
      recordFigure({
        promise: 'P-06',
        shown: `Lists of devices, 20 writers and 20 readers over two processes: ${JSON.stringify(counts)}.`,
        n: counts.reads,
        figure: `${String(stale.length)} older than an answered write`,
      });
    },
    RUN_MS + 180_000,
  );

  it('show no device to a guest once the revocation is answered', async () => {
    const { owner, guest, devices, shareIds } = await createHousehold(here);
    for (const [index, id] of devices.entries()) {
      await Promise.all(bases().map((base) => warm(reader(guest, base), LIST, keys)));
      const { status } = await as(
        owner,
        'DELETE',
        `/devices/${id}/shares/${shareIds[index] ?? ''}`,
        undefined,
        bases()[index % 2],
      );
      expect(status).toBe(204);
      const seen = await Promise.all(bases().map((base) => read<Listed>(reader(guest, base), LIST)));
      expect(seen.flatMap(({ body }) => body.items.map((item) => item.id))).not.toContain(id);
    }
  }, 60_000);
});

describe('A write that the cache cannot be told of', () => {
  it('succeeds without Redis, or past the application however long it takes, and shows elsewhere within three seconds', async () => {
    const [there, cutOff] = bases();
    const [unheard, byHand] = await Promise.all([createHousehold(here), createHousehold(here)]);
    await Promise.all([unheard, byHand].map(({ owner }) => warm(reader(owner, there), NO_READINGS, keys)));
    const foreign = await Sql.open(here.databaseUrl);
    const names: string[] = [];
    try {
      await foreign.rows('BEGIN');
      await foreign.rows('UPDATE devices SET name = $2, version = version + 1 WHERE id = $1', [
        byHand.devices[0],
        'by hand',
      ]);
      // As if it had been written long ago: a transaction may be open for hours.
      const aged = await foreign.rows(
        `UPDATE cache_invalidations SET written_at = written_at - interval '2 minutes' WHERE tags @> ARRAY[$1] RETURNING id`,
        [`device:${byHand.devices[0] ?? ''}`],
      );
      expect(aged).toHaveLength(1);
      proxy.blackhole();
      for (const id of unheard.devices) {
        const name = `unheard ${id}`;
        const answer = await as(unheard.owner, 'PATCH', `/devices/${id}`, { name }, cutOff);
        expect(answer.status).toBe(200);
        names.push(name);
      }
      await foreign.rows('COMMIT');
    } finally {
      await foreign.end();
    }
    // A read that begins so late rests on a look that began after the last of them.
    await pause(STALE_AT_MOST_MS);
    const [heard, seen] = await Promise.all(
      [unheard, byHand].map(({ owner }) => read<Listed>(reader(owner, there), NO_READINGS)),
    );
    expect(namesOf(heard)).toEqual(names.sort());
    expect(namesOf(seen)).toContain('by hand');
    expect(
      await sql.rows("SELECT 1 FROM cache_invalidations WHERE written_at > now() - interval '1 minute'"),
    ).not.toHaveLength(0);
    const fromDatabase = await read<Listed>(reader(unheard.owner, cutOff), NO_READINGS);
    expect([fromDatabase.status, isHit(fromDatabase), namesOf(fromDatabase)]).toEqual([200, false, names]);
    const admin = await insertAccount(here, { role: 'ADMIN' });
    proxy.down();
    await eventually('the process says that Redis is away, and how often it missed it', async () => {
      await read(reader(unheard.owner, cutOff), NO_READINGS);
      const { redis, categories } = (await read<CacheReport>(reader(admin, cutOff), '/metrics/cache')).body;
      const errors = categories.reduce((sum, { error }) => sum + error, 0);
      const scraped = await counter(cutOff ?? '', 'mortise_cache_requests_total', 'outcome="error"');
      return redis === 'down' && errors > 0 && scraped === errors;
    });
    await warm(reader(unheard.owner, there), NO_READINGS, keys);
  }, 60_000);

  it('counts once, from when it is committed', async () => {
    const invalidations = here.get(CacheInvalidationsRepository);
    const insert = 'INSERT INTO cache_invalidations (tags) VALUES (ARRAY[$1])';
    const look = async (since: string | null): Promise<{ at: string; tags: string[] }> => {
      const { at, found } = await invalidations.list(since, 1_001);
      return { at, tags: found.flatMap(({ tags }) => tags).filter((tag) => ['early', 'late'].includes(tag)) };
    };
    const foreign = await Sql.open(here.databaseUrl);
    try {
      await foreign.rows('BEGIN');
      await foreign.rows(insert, ['early']);
      const first = await look(null);
      await sql.rows(insert, ['late']);
      const second = await look(first.at);
      const third = await look(second.at);
      await foreign.rows('COMMIT');
      const fourth = await look(third.at);
      const seen = [first, second, third, fourth, await look(fourth.at), await look(null)];
      expect(seen.map((each) => each.tags.sort().join(' '))).toEqual(['', 'late', '', 'early', '', 'early late']);
    } finally {
      await foreign.end();
    }
  });

  it('ends hits when nothing can be looked up that Redis was not told', async () => {
    const [there = ''] = bases();
    const { owner } = await createHousehold(here);
    const admin = reader(await insertAccount(here, { role: 'ADMIN' }), there);
    await warm(reader(owner, there), NO_READINGS, keys);
    const lock = await Sql.open(here.databaseUrl);
    try {
      await lock.rows('BEGIN');
      await lock.rows('LOCK TABLE cache_invalidations IN ACCESS EXCLUSIVE MODE');
      await eventually(
        'answers come from the database',
        async () => !isHit(await read(reader(owner, there), NO_READINGS)),
      );
      const { redis } = await eventually('the process says that it may answer nothing from the cache', async () => {
        const { body } = await read<CacheReport>(admin, '/metrics/cache');
        return body.trustedForSeconds === 0 && body;
      });
      expect(redis).toBe('up');
    } finally {
      await lock.end();
    }
    await warm(reader(owner, there), NO_READINGS, keys);
  }, 60_000);
});

describe('A change behind its mark', () => {
  it('leaves the others with the database when Redis is wiped, which takes the mark away', async () => {
    const [there = '', other] = bases();
    const { owner, devices } = await createHousehold(here);
    const list = reader(owner, there);
    await warm(list, NO_READINGS, keys);
    const written = await behindMark(
      here.databaseUrl,
      keys,
      devices[0] ?? '',
      (path) => as(owner, 'PATCH', path, { name: 'kept' }, other),
      async () => {
        await keys.wipe();
        const during = [await read(list, NO_READINGS), await read(list, NO_READINGS), await read(list, NO_READINGS)];
        expect(during.map((answer) => [answer.status, isHit(answer)])).toEqual(during.map(() => [200, false]));
        expect(await keys.entriesOf(owner.id)).toBe(0);
      },
    );
    expect(written?.status).toBe(200);
    const after = [await read<Listed>(list, NO_READINGS), await read<Listed>(list, NO_READINGS)];
    expect(after.map((answer) => [isHit(answer), namesOf(answer).includes('kept')])).toEqual(
      after.map(() => [false, true]),
    );
    expect(await keys.entriesOf(owner.id)).toBe(0);
    await warm(list, NO_READINGS, keys);
  }, 60_000);

  it('leaves them with the database when its process dies, whatever becomes of its COMMIT', async () => {
    const [there = '', doomed] = bases();
    const { owner, devices } = await createHousehold(here);
    await warm(reader(owner, there), NO_READINGS, keys);
    await behindMark(
      here.databaseUrl,
      keys,
      devices[0] ?? '',
      (path) => as(owner, 'PATCH', path, { name: 'late' }, doomed),
      async () => {
        const during = [await read(reader(owner, there), NO_READINGS), await read(reader(owner, there), NO_READINGS)];
        expect(during.map(isHit)).toEqual([false, false]);
        await others[1]?.kill();
      },
    );
    await transactionsEnded(sql);
    const after = await read<Listed>(reader(owner, there), NO_READINGS);
    expect(namesOf(after)).toContain('late');
    expect(isHit(after)).toBe(false);
    expect(isHit(await read(reader(owner, there), NO_READINGS))).toBe(false);
  }, 120_000);
});

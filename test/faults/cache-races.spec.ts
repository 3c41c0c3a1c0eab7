/**
 * Writers and readers over two processes that are killed, and a Redis that is wiped: no answer is older than a write that had been
 * answered before the read began; and what happens to a write whose mark Redis does not take, or whose process dies behind it.
 * Seen to fail: without the marks before COMMIT and what takes them away after it (the race and the revocation), and where Redis is not told of what stands in the table (what shows within three seconds).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { type InsertedAccount, insertAccount } from '../support/accounts.fixture.js';
import { CacheRace, type Household, type Listed } from '../support/cache-race.js';
import { CacheKeys, type CacheReader, isHit, read, warm } from '../support/cache.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { ApplicationProcess } from '../support/process.js';
import { recordFigure, scaled } from '../support/promise.js';
import { request } from '../support/rest.js';
import { Sql } from '../support/sql.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const HOUSEHOLDS = 5;
const RUN_MS = scaled(7_000, 180_000);
const TROUBLE_EVERY_MS = 2_000;
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

afterEach(async () => {
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

async function createHousehold(): Promise<Household> {
  const [owner, guest, member] = await Promise.all([insertAccount(here), insertAccount(here), insertAccount(here)]);
  const { body } = await as<{ id: string }>(owner, 'POST', '/organizations', { name: 'House' });
  await sql.rows(`INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'VIEWER')`, [
    body.id,
    member.id,
  ]);
  const devices = [(await registerDevice(here.url, owner)).id, (await registerDevice(here.url, owner)).id];
  const shareIds: string[] = [];
  for (const id of devices) {
    await as(owner, 'PATCH', `/devices/${id}`, { organizationId: body.id });
    const given = { email: guest.email, permission: 'view' };
    shareIds.push((await as<{ id: string }>(owner, 'POST', `/devices/${id}/shares`, given)).body.id);
  }
  return { owner, guest, member, devices, shareIds };
}

/** When no transaction is open any more that was when this was called. */
async function transactionsEnded(): Promise<void> {
  const [now] = await sql.rows<{ at: Date }>('SELECT clock_timestamp() AS at');
  await eventually('older transactions have ended', async () => {
    const open = await sql.rows(
      'SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start <= $1',
      [now?.at],
    );
    return open.length === 0;
  });
}

describe('P-06: cached answers of two processes', () => {
  it(
    'are never older than a write that was answered before the read began',
    async () => {
      const households: Household[] = [];
      for (let index = 0; index < HOUSEHOLDS; index++) {
        households.push(await createHousehold());
      }
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
          await transactionsEnded();
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
    const { owner, guest, devices, shareIds } = await createHousehold();
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
  it('succeeds without Redis, and shows elsewhere within three seconds', async () => {
    const [there, cutOff] = bases();
    const { owner, devices } = await createHousehold();
    await warm(reader(owner, there), NO_READINGS, keys);
    proxy.blackhole();
    const names: string[] = [];
    for (const id of devices) {
      const name = `unheard ${id}`;
      const answer = await as(owner, 'PATCH', `/devices/${id}`, { name }, cutOff);
      expect(answer.status).toBe(200);
      names.push(name);
    }
    // A read that begins so late rests on a look that began after the last of them.
    await pause(STALE_AT_MOST_MS);
    const { body } = await read<Listed>(reader(owner, there), NO_READINGS);
    expect(body.items.map(({ name }) => name).sort()).toEqual(names.sort());
    expect(
      await sql.rows("SELECT 1 FROM cache_invalidations WHERE written_at > now() - interval '1 minute'"),
    ).not.toHaveLength(0);
    expect(isHit(await read(reader(owner, cutOff), NO_READINGS))).toBe(false);
    await warm(reader(owner, there), NO_READINGS, keys);
  }, 60_000);

  it('was made past the application, and shows within three seconds', async () => {
    const [there = ''] = bases();
    const { owner, devices } = await createHousehold();
    await warm(reader(owner, there), NO_READINGS, keys);
    await sql.rows('UPDATE devices SET name = $2, version = version + 1 WHERE id = $1', [devices[0], 'by hand']);
    await pause(STALE_AT_MOST_MS);
    const { body } = await read<Listed>(reader(owner, there), NO_READINGS);
    expect(body.items.find(({ id }) => id === devices[0])?.name).toBe('by hand');
  }, 60_000);

  it('ends hits when nothing can be looked up that Redis was not told', async () => {
    const [there = ''] = bases();
    const { owner } = await createHousehold();
    await warm(reader(owner, there), NO_READINGS, keys);
    const lock = await Sql.open(here.databaseUrl);
    try {
      await lock.rows('BEGIN');
      await lock.rows('LOCK TABLE cache_invalidations IN ACCESS EXCLUSIVE MODE');
      await eventually(
        'answers come from the database',
        async () => !isHit(await read(reader(owner, there), NO_READINGS)),
      );
    } finally {
      await lock.end();
    }
    await warm(reader(owner, there), NO_READINGS, keys);
  }, 60_000);
});

describe('A process that dies behind its mark', () => {
  it('leaves the others with the database, whatever becomes of its COMMIT', async () => {
    const [there = '', doomed] = bases();
    const { owner, devices } = await createHousehold();
    const [id = ''] = devices;
    await warm(reader(owner, there), NO_READINGS, keys);
    const lock = await Sql.open(here.databaseUrl);
    try {
      // The event of the change is sent with COMMIT, behind the mark, and waits: the server goes on when the process is gone.
      await lock.rows('BEGIN');
      await lock.rows('LOCK TABLE events IN ACCESS EXCLUSIVE MODE');
      const write = as(owner, 'PATCH', `/devices/${id}`, { name: 'late' }, doomed).catch(() => null);
      await eventually('the mark is open', async () => (await keys.marked()).includes(`device:${id}`));
      const during = [await read(reader(owner, there), NO_READINGS), await read(reader(owner, there), NO_READINGS)];
      expect(during.map(isHit)).toEqual([false, false]);
      await others[1]?.kill();
      await write;
    } finally {
      await lock.end();
    }
    await transactionsEnded();
    const after = await read<Listed>(reader(owner, there), NO_READINGS);
    expect(after.body.items.map(({ name }) => name)).toContain('late');
    expect(isHit(after)).toBe(false);
    expect(isHit(await read(reader(owner, there), NO_READINGS))).toBe(false);
  }, 120_000);
});

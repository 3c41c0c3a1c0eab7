import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { TestApp } from '../support/test-app.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { type Answer, request } from '../support/rest.js';

interface DeviceBody {
  id: string;
  name: string;
  version: number;
}
interface PageBody {
  items: DeviceBody[];
  nextCursor: string | null;
}

let application: TestApp;
let ada: Account;
let bob: Account;

beforeAll(async () => {
  application = await TestApp.start({ env: { ROLES: 'api' } });
  ada = await createAccount(application.url, 'ada');
  bob = await createAccount(application.url, 'bob');
});

afterAll(async () => {
  await application.stop();
});

function ask<T = Record<string, unknown>>(
  who: Account,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  return request<T>(application.url, method, `/api/v1${path}`, { token: who.accessToken, body, headers });
}

function register(who: Account, body: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  return ask<{ device: DeviceBody; deviceToken: string | null; orderKeys: { kid: string }[] }>(
    who,
    'POST',
    '/devices',
    { name: 'Front door', hardwareId: randomUUID(), ...body },
    headers,
  );
}

describe('Registering a device', () => {
  it('answers with the device, its token and the keys that verify orders', async () => {
    const answer = await register(ada, { room: 'Hall', timeZone: 'Europe/Berlin' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/api/v1/devices/${answer.body.device.id}`);
    expect(answer.body.device).toMatchObject({
      name: 'Front door',
      type: 'door_lock',
      room: 'Hall',
      timeZone: 'Europe/Berlin',
      status: 'unknown',
      permission: 'admin',
      owned: true,
      version: 1,
      links: [],
    });
    expect(answer.body.deviceToken).toMatch(/^[\w-]{43}$/);
    const keys = await request<{ keys: unknown[] }>(application.url, 'GET', '/.well-known/order-keys.json');
    expect(keys.headers.get('cache-control')).toBe('public, max-age=300');
    // The worker may be creating the next key at this moment.
    expect(keys.body.keys).toEqual(expect.arrayContaining(answer.body.orderKeys));
    expect(answer.body.orderKeys).toContainEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: expect.stringMatching(/^[\w-]{43}$/),
      kid: expect.any(String),
      alg: 'EdDSA',
      use: 'sig',
    });
  });

  it('shows the token once: a repeat with the same key answers with the same device and no token', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const body = { hardwareId: randomUUID() };
    const first = await register(ada, body, key);
    const second = await register(ada, body, key);
    expect(second.status).toBe(201);
    expect(second.body.device.id).toBe(first.body.device.id);
    expect(second.body.deviceToken).toBeNull();
    expect((await register(ada, { ...body, name: 'Another' }, key)).status).toBe(422);
  });

  it('takes a hardware id once of an owner, in whatever spelling, and stands in the way of no other', async () => {
    const hardwareId = randomUUID();
    expect((await register(ada, { hardwareId })).status).toBe(201);
    const spellings = [hardwareId, hardwareId.toUpperCase(), ` ${hardwareId}`, hardwareId.replaceAll('-', '')];
    for (const spelling of [...spellings, hardwareId.replaceAll('-', ':'), hardwareId.replaceAll('-', ' _.')]) {
      const again = await register(ada, { hardwareId: spelling });
      expect([again.status, again.body]).toEqual([409, expect.objectContaining({ code: 'hardware_id_taken' })]);
    }
    const other = await register(bob, { hardwareId });
    expect([other.status, other.body.device]).toEqual([201, expect.objectContaining({ owned: true })]);
  });

  it.each([
    [{ name: '' }],
    [{ name: 'x\u0000y' }],
    [{ name: 'x'.repeat(101) }],
    [{ name: ['x'] }],
    [{ hardwareId: ' .:-_ ' }],
    [{ type: 'toaster' }],
    [{ timeZone: 'Mars/Olympus' }],
    [{ timeZone: '+01:00' }],
    [{ room: 7 }],
    [{ ownerId: randomUUID() }],
    [{ status: 'online' }],
  ])('refuses %j', async (body) => {
    const answer = await register(ada, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid_request' });
  });
});

describe('The list of devices', () => {
  let owner: Account;
  const rooms = ['Hall', 'Cellar', 'Hall', 'Attic', 'Hall'];

  beforeAll(async () => {
    owner = await createAccount(application.url, 'lister');
    for (const [index, room] of rooms.entries()) {
      await register(owner, { name: `Door ${String(index)}`, room, type: index === 1 ? 'camera' : 'door_lock' });
    }
  });

  const names = (page: Answer<PageBody>): string[] => page.body.items.map(({ name }) => name);

  it.each([
    ['-createdAt', ['Door 4', 'Door 3', 'Door 2', 'Door 1', 'Door 0']],
    ['createdAt', ['Door 0', 'Door 1', 'Door 2', 'Door 3', 'Door 4']],
    ['-name', ['Door 4', 'Door 3', 'Door 2', 'Door 1', 'Door 0']],
    ['name', ['Door 0', 'Door 1', 'Door 2', 'Door 3', 'Door 4']],
  ])('walks all pages ordered by %s, each device once', async (sort, expected) => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Answer<PageBody> = await ask<PageBody>(
        owner,
        'GET',
        `/devices?limit=2&sort=${sort}${cursor ? `&cursor=${cursor}` : ''}`,
      );
      expect(page.status).toBe(200);
      seen.push(...names(page));
      cursor = page.body.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(expected);
  });

  it('filters by type, status, room and part of a name', async () => {
    expect(names(await ask<PageBody>(owner, 'GET', '/devices?type=camera'))).toEqual(['Door 1']);
    expect(names(await ask<PageBody>(owner, 'GET', '/devices?room=Hall&sort=name'))).toEqual([
      'Door 0',
      'Door 2',
      'Door 4',
    ]);
    expect(names(await ask<PageBody>(owner, 'GET', '/devices?status=online'))).toEqual([]);
    expect(names(await ask<PageBody>(owner, 'GET', '/devices?q=oor%203'))).toEqual(['Door 3']);
    expect(names(await ask<PageBody>(owner, 'GET', '/devices?q=%25'))).toEqual([]);
  });

  it('shows each device exactly as the route of the device does', async () => {
    const { body } = await ask<PageBody>(owner, 'GET', '/devices?limit=1');
    const [listed] = body.items;
    expect((await ask(owner, 'GET', `/devices/${String(listed?.id)}`)).body).toEqual(listed);
  });

  it('does not show devices of other users', async () => {
    const stranger = await createAccount(application.url, 'stranger');
    expect((await ask<PageBody>(stranger, 'GET', '/devices')).body).toEqual({ items: [], nextCursor: null });
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'sort=ownerId',
    'type=toaster',
    'cursor=nonsense',
    'q=',
    'foo=1',
    'q=%00',
  ])('refuses ?%s', async (query) => {
    expect((await ask(owner, 'GET', `/devices?${query}`)).status).toBe(400);
  });

  it('refuses a cursor of another order', async () => {
    const { body } = await ask<PageBody>(owner, 'GET', '/devices?limit=1&sort=name');
    const answer = await ask(owner, 'GET', `/devices?sort=createdAt&cursor=${String(body.nextCursor)}`);
    expect(answer.body).toMatchObject({ code: 'invalid_cursor' });
  });
});

describe('One device', () => {
  it('changes only in the version that If-Match names', async () => {
    const { device } = (await register(ada)).body;
    const read = await ask(ada, 'GET', `/devices/${device.id}`);
    expect(read.headers.get('etag')).toMatch(/^"1-/);

    const changed = await ask(
      ada,
      'PATCH',
      `/devices/${device.id}`,
      { name: 'Back door', room: null },
      { 'if-match': '"1"' },
    );
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).toMatch(/^"2-/);
    expect(changed.body).toMatchObject({ name: 'Back door', room: null, version: 2 });

    const late = await ask(ada, 'PATCH', `/devices/${device.id}`, { name: 'Too late' }, { 'if-match': '"1"' });
    expect(late.status).toBe(412);
    expect(late.body).toMatchObject({ code: 'device_changed' });
    const remove = (tag: string): Promise<Answer> =>
      ask(ada, 'DELETE', `/devices/${device.id}`, undefined, { 'if-match': tag });
    expect((await remove('W/"1"')).status).toBe(412);
    expect((await ask(ada, 'PATCH', `/devices/${device.id}`, { name: null })).status).toBe(400);
    expect((await remove('W/"2"')).status).toBe(204);
  });

  it('does not exist once deleted', async () => {
    const { device } = (await register(ada)).body;
    expect((await ask(ada, 'DELETE', `/devices/${device.id}`)).status).toBe(204);
    expect((await ask(ada, 'GET', `/devices/${device.id}`)).status).toBe(404);
  });

  it('does not exist for another user, on any route', async () => {
    const { device } = (await register(ada)).body;
    const answers = await Promise.all([
      ask(bob, 'GET', `/devices/${device.id}`),
      ask(bob, 'PATCH', `/devices/${device.id}`, { name: 'Mine' }),
      ask(bob, 'DELETE', `/devices/${device.id}`),
      ask(bob, 'GET', `/devices/${device.id}/events`),
      ask(bob, 'GET', `/devices/not-a-uuid`),
      ask(bob, 'GET', `/devices/${randomUUID()}`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404]);
    expect((await request(application.url, 'GET', `/api/v1/devices/${device.id}`)).status).toBe(401);
  });

  it('has its changes in the history', async () => {
    const { device } = (await register(ada)).body;
    await ask(ada, 'PATCH', `/devices/${device.id}`, { room: 'Hall' });
    const { body } = await ask<{ items: { type: string; payload: unknown; actor: string; version: number }[] }>(
      ada,
      'GET',
      `/devices/${device.id}/events`,
    );
    expect(body.items.map(({ type, version }) => [type, version])).toEqual([
      ['device_updated', 2],
      ['device_registered', 1],
    ]);
    expect(body.items[0]).toMatchObject({ payload: { changed: ['room'] }, actor: `user:${ada.id}` });
  });
});

/**
 * What a person asked for whose right on a device ended while the request waited for it: the guard has let it in, and a transfer
 * or the end of a share came first. It is refused and changes nothing.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { fill } from '../support/api-routes.js';
import { registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import { request } from '../support/rest.js';
import { routeRules } from '../support/route-rules.js';
import { SharingFixture } from '../support/sharing.fixture.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

/** Requests that wait at once: fewer than there are connections, or the rest waits before the guard. */
const AT_ONCE = 5;
/** They change nothing, whatever their method. */
const ASKS = ['/access-check', '/shares/preview'];

let fixture: SharingFixture;
let holder: Sql;
let ada: InsertedAccount;
let grace: InsertedAccount;
let guest: InsertedAccount;
let manager: InsertedAccount;
let home: string;

beforeAll(async () => {
  fixture = await SharingFixture.start();
  holder = await Sql.open(fixture.application.databaseUrl);
  [ada, grace, guest, manager] = await Promise.all([
    fixture.createAccount('ada'),
    fixture.createAccount('grace'),
    fixture.createAccount('guest'),
    fixture.createAccount('manager'),
  ]);
  home = (await fixture.createOrganization(ada)).id;
}, 60_000);

afterAll(async () => {
  await holder.end();
  await fixture.stop();
});

/** A device with one of everything that its routes change, and the bodies of requests that would be done. */
interface Prepared extends RegisteredDevice {
  readonly ids: Readonly<Record<string, string>>;
}

const BODIES: Readonly<Record<string, unknown>> = {
  'PATCH ': { room: 'Hall' },
  'PATCH /settings': { settings: { autoLockTimeoutMs: 5_000 } },
  'POST /commands': { name: 'lock_door' },
  'POST /token/rotate': {},
  'POST /transfer': { email: 'heir@example.com' },
  'POST /shares': { email: 'other@example.com', permission: 'view' },
  'PATCH /shares/{shareId}': { suspended: true },
};

async function prepare(who: InsertedAccount, { rest }: Route): Promise<Prepared> {
  const device = await registerDevice(fixture.application.url, ada);
  await fixture.share(ada, device.id, guest, { permission: 'admin' });
  if (who === manager) {
    await fixture.request(ada, 'PATCH', `/devices/${device.id}`, { organizationId: home });
  }
  const make = async (part: string, body: object): Promise<string> => {
    const headers = { 'idempotency-key': randomUUID() };
    return (await fixture.request<{ id: string }>(ada, 'POST', `/devices/${device.id}${part}`, body, headers)).body.id;
  };
  return {
    ...device,
    ids: {
      ...(rest.includes('{shareId}') && {
        shareId: await make('/shares', { email: `${randomUUID()}@example.com`, permission: 'view' }),
      }),
      ...(rest.includes('{commandId}') && { commandId: await make('/commands', { name: 'lock_door' }) }),
    },
  };
}

/** Everything of a device that a request could change, but for what ends its right. */
async function statesOf(ids: readonly string[]): Promise<string[]> {
  const ofDevice = [
    `SELECT d.name, d.room, d.organization_id, d.version`,
    `SELECT count(*) FROM device_credentials WHERE device_id = d.id AND revoked_at IS NULL AND expires_at IS NULL`,
    `SELECT count(*) FROM device_activations WHERE device_id = d.id`,
    `SELECT count(*) FROM device_transfers WHERE device_id = d.id`,
    `SELECT desired, version FROM device_settings WHERE device_id = d.id`,
    `SELECT id, permission, suspended_at, token_hash FROM device_shares WHERE device_id = d.id AND user_id IS NULL`,
    `SELECT id, state FROM commands WHERE device_id = d.id`,
    `SELECT id FROM events WHERE device_id = d.id`,
  ].map((part) => `(SELECT json_agg(t) FROM (${part}) t)`);
  const text = `SELECT json_build_array(${ofDevice.join(', ')})::text AS state
    FROM unnest($1::uuid[]) WITH ORDINALITY AS i(id, place) LEFT JOIN devices d ON d.id = i.id ORDER BY place`;
  return (await fixture.sql.rows<{ state: string }>(text, [ids])).map(({ state }) => state);
}

interface Route {
  readonly method: string;
  readonly rest: string;
  readonly demand: string;
}

function changingRoutes(): Route[] {
  return routeRules(fixture.application.nest)
    .filter(({ rule, method }) => rule.startsWith('device:') && method !== 'GET')
    .map(({ method, path, rule }) => ({ method, rest: path.replace('/api/v1/devices/{deviceId}', ''), demand: rule }))
    .filter(({ rest }) => !ASKS.includes(rest));
}

/** Sends each request while its device is held, ends the right, and lets them go on. @returns what was not refused */
async function lose(who: InsertedAccount, routes: readonly Route[], end: string): Promise<unknown[]> {
  const asked = await Promise.all(routes.map(async (route) => ({ route, device: await prepare(who, route) })));
  const ids = asked.map(({ device }) => device.id);
  const before = await statesOf(ids);
  await holder.rows('BEGIN');
  await holder.rows('SELECT FROM devices WHERE id = ANY ($1::uuid[]) FOR UPDATE', [ids]);
  const answers = Promise.all(
    asked.map(({ route: { method, rest }, device }) =>
      request<{ code?: string }>(
        fixture.application.url,
        method,
        `/api/v1/devices/${device.id}${fill(rest, device.ids)}`,
        {
          token: who.accessToken,
          body: BODIES[`${method} ${rest}`],
          ...(method === 'POST' && { headers: { 'idempotency-key': randomUUID() } }),
        },
      ),
    ),
  );
  await eventually('all of them wait for their devices', async () => (await fixture.sql.lockWaits()) >= asked.length);
  await holder.rows(end, [ids, ...(end.includes('$2') ? [grace.id] : [])]);
  await holder.rows('COMMIT');
  const [given, after] = [await answers, await statesOf(ids)];
  return asked.flatMap(({ route: { method, rest } }, index) => {
    const status = given[index]?.status ?? 0;
    const isSame = after[index] === before[index];
    return [403, 404].includes(status) && isSame
      ? []
      : [{ route: `${method} ${rest}`, status, before: before[index], after: after[index] }];
  });
}

async function loseAll(who: InsertedAccount, routes: readonly Route[], end: string): Promise<unknown[]> {
  const faults: unknown[] = [];
  for (let first = 0; first < routes.length; first += AT_ONCE) {
    faults.push(...(await lose(who, routes.slice(first, first + AT_ONCE), end)));
  }
  return faults;
}

describe('A request that waits for its device while its right ends', () => {
  it('is refused to the last owner on every route, and changes nothing', async () => {
    const routes = changingRoutes();
    expect(routes.length).toBeGreaterThan(14);
    const end = `UPDATE devices SET owner_id = $2, owned_since = clock_timestamp() WHERE id = ANY ($1::uuid[])`;
    const ofShares = 'DELETE FROM device_shares WHERE device_id = ANY ($1::uuid[]) AND user_id IS NOT NULL';
    expect(await loseAll(ada, routes, `WITH ended AS (${ofShares}) ${end}`)).toEqual([]);
  }, 30_000);

  it('is refused to a guest whose share ends', async () => {
    // An order is accepted by who could give it when it was asked for, and the right is read again when it is sent.
    const routes = changingRoutes().filter(({ demand }) => !['device:manager', 'device:owner'].includes(demand));
    const end = 'DELETE FROM device_shares WHERE device_id = ANY ($1::uuid[]) AND user_id IS NOT NULL';
    const faults = await loseAll(
      guest,
      routes.filter(({ method, rest }) => `${method} ${rest}` !== 'POST /commands'),
      end,
    );
    expect(faults).toEqual([]);
  }, 30_000);

  it('is refused to a manager whose role ends', async () => {
    await fixture.addMember(manager, 'MANAGER', home);
    const routes = changingRoutes().filter(({ demand }) => demand === 'device:manager');
    expect(routes).toHaveLength(3);
    const end = `DELETE FROM memberships m USING devices d
      WHERE d.id = ANY ($1::uuid[]) AND m.organization_id = d.organization_id AND m.role = 'MANAGER'`;
    expect(await loseAll(manager, routes, end)).toEqual([]);
  });

  it('does not put a device of another person into an organization of its last owner', async () => {
    const device = await registerDevice(fixture.application.url, ada);
    await holder.rows('BEGIN');
    await holder.rows('UPDATE devices SET owner_id = $2 WHERE id = $1', [device.id, grace.id]);
    const late = fixture.request(ada, 'PATCH', `/devices/${device.id}`, { organizationId: home });
    await eventually('it waits', async () => (await fixture.sql.lockWaits()) > 0);
    await holder.rows('COMMIT');
    expect([(await late).status, await fixture.statusOf(ada, device.id)]).toEqual([404, 404]);
  });
});

describe('A repeat of what a person did with a device', () => {
  it('does not read the device of its next owner', async () => {
    const code = '7K2M-9QXT-0B4H-VWEN-3J8D';
    await fixture.sql.rows(
      `INSERT INTO provisioned_devices (id, hardware_id, claim_code_hash, provisioned_by)
       VALUES (gen_random_uuid(), 'aa-bb', sha256($1::bytea), $2)`,
      [code, ada.id],
    );
    const first = [
      { path: '/devices', body: { name: 'Door', hardwareId: randomUUID() }, key: { 'idempotency-key': randomUUID() } },
      { path: '/devices/claim', body: { code }, key: { 'idempotency-key': randomUUID() } },
    ];
    const send = ({ path, body, key }: (typeof first)[number]) =>
      fixture.request<{ device: { id: string } }>(ada, 'POST', path, body, key);
    for (const one of first) {
      const made = await send(one);
      expect([made.status, (await send(one)).body.device.id]).toEqual([201, made.body.device.id]);
      await fixture.sql.rows(`UPDATE devices SET owner_id = $2, name = 'Safe' WHERE id = $1`, [
        made.body.device.id,
        grace.id,
      ]);
      expect((await send(one)).status).toBe(404);
    }
  });
});

/** The list of devices: filters, orders, what of each, and the counts; of one’s own and of one’s organizations alone. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEVICE_PERMISSIONS } from '../../src/contracts/devices.js';
import { ORGANIZATION_ROLES } from '../../src/contracts/resources.js';
import { DeviceAccessService } from '../../src/features/sharing/access/device-access.service.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { OrganizationsFixture, type PageBody } from '../support/organizations.fixture.js';
import { seededRandom } from '../support/seeded-random.js';
import { closedHours, EVERY_DAY } from '../support/sharing.fixture.js';

interface Listed extends Record<string, unknown> {
  readonly name: string;
}

/** A row of `device_shares`. */
interface ShareFacts {
  readonly id?: string;
  readonly device: string | undefined;
  readonly guest: InsertedAccount;
  readonly permission: string;
  readonly from?: string | null;
  readonly until?: string | null;
  readonly schedule?: object | null;
  readonly suspended?: string | null;
  readonly giver?: string;
  readonly under?: string | null;
  readonly byRole?: boolean;
}

const HOUR_MS = 3_600_000;
const HOUR_AGO = new Date(Date.now() - HOUR_MS).toISOString();
const IN_AN_HOUR = new Date(Date.now() + HOUR_MS).toISOString();

let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let organizationId: string;

/**
 * Ada owns four devices, is an operator where Bob has one, and another of his is shared with her; he has two more that she does
 * not see: one was shared with her until an hour ago.
 */
beforeAll(async () => {
  fixture = await OrganizationsFixture.start({ ROLES: 'api' });
  ada = await fixture.createAccount('ada');
  const bob = await fixture.createAccount('bob');
  organizationId = (await fixture.createOrganization(bob)).id;
  await fixture.addMember(ada, 'OPERATOR', organizationId);
  const insert = (owner: InsertedAccount, facts: Record<string, unknown>): Promise<{ id: string }[]> =>
    fixture.sql.rows(
      `INSERT INTO devices (id, owner_id, organization_id, name, hardware_id, type, room, location, status, battery, last_seen_at,
         firmware_version)
       SELECT gen_random_uuid(), $1, x.* FROM jsonb_to_record($2) AS x(organization uuid, name text, hardware text, type device_type,
         room text, location text, status device_status, battery int, seen timestamptz, firmware text)
       RETURNING id`,
      [owner.id, JSON.stringify({ hardware: randomUUID(), type: 'door_lock', status: 'unknown', ...facts })],
    );
  await insert(ada, { name: 'A', room: 'Küche', battery: 10, seen: '2026-11-01T00:00:00Z', firmware: '1.0' });
  await insert(ada, {
    name: 'B',
    room: 'Hall',
    battery: 90,
    status: 'online',
    hardware: 'AA:BB:CC:DD:EE:01',
    firmware: '1.0',
  });
  await insert(ada, { name: 'C', type: 'camera', location: 'Berlin, Hauptstr. 1', seen: '2026-11-02T00:00:00Z' });
  await insert(ada, { name: 'D', room: 'Hall', battery: 10, seen: '2026-11-03T00:00:00Z', firmware: '2.0' });
  await insert(bob, { name: 'E', organization: organizationId, battery: 50, status: 'online' });
  const [open] = await insert(bob, { name: 'F', type: 'camera', room: 'Attic', battery: 5, firmware: '2.0' });
  const [over] = await insert(bob, { name: 'Over', room: 'Hall', battery: 1, status: 'online', firmware: '9' });
  await insertShares([
    { device: open?.id, guest: ada, permission: 'view' },
    { device: over?.id, guest: ada, permission: 'admin', until: HOUR_AGO },
  ]);
  await insert(bob, { name: 'Hidden', room: 'Hall', battery: 1, status: 'online', firmware: '9' });
});

afterAll(() => fixture.stop());

async function insertShares(shares: readonly ShareFacts[]): Promise<void> {
  const rows = shares.map(({ guest, ...facts }) => ({
    id: randomUUID(),
    ...facts,
    email: guest.email,
    person: guest.id,
  }));
  await fixture.sql.rows(
    `INSERT INTO device_shares (id, device_id, email, user_id, permission, valid_from, valid_until, schedule, suspended_at, granted_by,
       given_under, by_role)
     SELECT id, device, email, person, permission, "from", until, schedule, suspended, giver, under, coalesce("byRole", false)
     FROM jsonb_to_recordset($1) AS x(id uuid, device uuid, email text, person uuid, permission device_permission,
       "from" timestamptz, until timestamptz, schedule jsonb, suspended timestamptz, giver uuid, under uuid, "byRole" boolean)`,
    [JSON.stringify(rows)],
  );
}

const list = async (query: string): Promise<string> =>
  (await fixture.readAllPages<Listed>(ada, `/devices?${query}`)).map(({ name }) => name).join('');

describe('The list of devices', () => {
  it.each([
    ['status=online', 'BE'],
    ['room=Hall', 'BD'],
    ['location=Berlin,%20Hauptstr.%201', 'C'],
    ['owned=true', 'ABCD'],
    ['owned=false', 'EF'],
    ['batteryBelow=50', 'ADF'],
    ['type=camera', 'CF'],
    ['owned=false&type=camera', 'F'],
    ['q=attic', 'F'],
    ['seenSince=2026-11-02T01:00:00%2B01:00', 'CD'],
    ['q=kuche', 'A'],
    ['q=KU%CC%88CHE', 'A'],
    ['q=hall%20b', 'B'],
    ['q=hall%20camera', ''],
    ['q=hauptstr%20berlin', 'C'],
    ['q=aabb-cc', 'B'],
    ['q=aa%20bb%20cc%20dd:ee', 'B'],
    ['q=_', ''],
  ])('has with %s those that fit', async (query, names) => {
    expect(await list(`${query}&sort=name&limit=2`)).toBe(names);
  });

  it('has those of one organization alone', async () => {
    expect(await list(`organizationId=${organizationId}`)).toBe('E');
    expect(await list(`organizationId=${randomUUID()}`)).toBe('');
  });

  /** By whole pages of each size: seen to fail with null in a position taken as smaller than all. */
  it.each([
    ['battery,name', 'FADEBC'],
    ['-battery,-name', 'BEDAFC'],
    ['-battery,name', 'BEADFC'],
    ['room,-battery,name', 'FBDAEC'],
    ['-lastSeenAt,name', 'DCABEF'],
    ['lastSeenAt,-name', 'ACDFEB'],
    ['type,name', 'ABDECF'],
    ['-type,-status,name', 'CFADBE'],
    ['-status,name', 'ACDFBE'],
  ])('is ordered by %s, each device once, whatever the size of the page', async (sort, names) => {
    for (const limit of [1, 2, 3, 50]) {
      expect(await list(`sort=${sort}&limit=${String(limit)}`)).toBe(names);
    }
  });

  it('has only the members that are asked for, in their order', async () => {
    const { body } = await fixture.request<PageBody<Listed>>(
      ada,
      'GET',
      '/devices?fields=name,owned,state&sort=name&limit=1',
    );
    expect(Object.keys(body.items[0] ?? {})).toEqual(['name', 'owned', 'state']);
  });

  it.each([
    ['fields=name,lockstate', '/fields', 'did you mean `lockState`?'],
    ['fields=ownerId', '/fields', 'not known here'],
    ['fields=name,name', '/fields', 'twice'],
    ['fields=', '/fields', 'not known here'],
    ['sort=lastSeen', '/sort', 'did you mean `lastSeenAt`?'],
    ['sort=name,-name', '/sort', 'twice'],
    ['sort=name,room,type,status', '/sort', 'at most 3'],
    ['sort=name&sort=room', '/sort', 'commas'],
    ['owned=yes', '/owned', 'true or false'],
    ['batteryBelow=1e1', '/batteryBelow', 'whole number'],
    ['seenSince=yesterday', '/seenSince', 'RFC 3339'],
  ])('refuses %s', async (query, pointer, words) => {
    const { status, body } = await fixture.request<{ errors: unknown[] }>(ada, 'GET', `/devices?${query}`);
    expect([status, body.errors]).toEqual([400, [{ pointer, detail: expect.stringContaining(words) }]]);
  });

  it('takes a cursor for the order alone that it belongs to', async () => {
    const { body } = await fixture.request<PageBody<Listed>>(ada, 'GET', '/devices?sort=battery,name&limit=1');
    for (const sort of ['name,battery', '-battery,name', 'battery', 'battery,name,type']) {
      const path = `/devices?sort=${sort}&cursor=${String(body.nextCursor)}`;
      expect((await fixture.request(ada, 'GET', path)).body).toMatchObject({ code: 'invalid_cursor' });
    }
  });
});

describe('The counts of devices', () => {
  it('are of what the person sees', async () => {
    expect((await fixture.request(ada, 'GET', '/devices/stats')).body).toEqual({
      total: 6,
      owned: 4,
      byStatus: { online: 2, unknown: 4 },
      byType: { door_lock: 4, camera: 2 },
      byPermission: { admin: 4, control: 1, view: 1 },
      rooms: 3,
      lowBattery: 3,
      onlineShare: expect.closeTo(1 / 3, 2),
      firmware: [
        { version: '1.0', count: 2 },
        { version: '2.0', count: 2 },
      ],
    });
  });

  it('are none for a stranger', async () => {
    const stranger = await fixture.createAccount('stranger');
    expect((await fixture.request(stranger, 'GET', '/devices/stats')).body).toMatchObject({
      total: 0,
      byStatus: {},
      onlineShare: null,
      firmware: [],
    });
  });
});

/**
 * The list asks for open shares first and joins the rest in SQL; the decision about one device reads all of its ties. Seen to fail
 * with the role alone where there is a share as well, and with shares that are listed beside a role.
 */
it('the list and the counts have what the decision about each device gives, whatever ties a person to it', async () => {
  const [person, owner, manager, ...givers] = (await Promise.all(
    ['person', 'owner', 'manager', 'giver', 'blocked'].map((name) => fixture.createAccount(name)),
  )) as [InsertedAccount, InsertedAccount, InsertedAccount, InsertedAccount, InsertedAccount];
  await fixture.sql.rows('UPDATE users SET blocked_at = now() WHERE id = $1', [givers[1].id]);
  const random = seededRandom(11);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const organizations: (string | null)[] = [null, null];
  for (const role of [null, ...ORGANIZATION_ROLES]) {
    const { id } = await fixture.createOrganization(role === 'OWNER' ? person : owner);
    organizations.push(id);
    await Promise.all([
      role && role !== 'OWNER' && fixture.addMember(person, role, id),
      fixture.addMember(manager, role === null ? 'MANAGER' : pick(['MANAGER', 'VIEWER']), id),
    ]);
  }
  const always = { timeZone: 'UTC', windows: [{ days: EVERY_DAY, from: '00:00', until: '24:00' }] };
  const terms = (): Partial<ShareFacts> =>
    pick<Partial<ShareFacts>>([
      ...Array.from({ length: 4 }, () => ({})),
      ...[HOUR_AGO, IN_AN_HOUR].flatMap((time) => [{ from: time }, { until: time }]),
      ...[always, closedHours(), {}].map((schedule) => ({ schedule })),
      { suspended: HOUR_AGO },
    ]);
  const devices = Array.from({ length: 200 }, () => ({
    id: randomUUID(),
    owner: pick([person, owner, owner, owner, owner]).id,
    organization: pick(organizations),
  }));
  await fixture.sql.rows(
    `INSERT INTO devices (id, owner_id, organization_id, name, hardware_id)
     SELECT id, owner, organization, 'x', id::text FROM jsonb_to_recordset($1) AS x(id uuid, owner uuid, organization uuid)`,
    [JSON.stringify(devices)],
  );
  const shares = devices.flatMap(({ id: device }): ShareFacts[] => {
    const giver = pick([givers[0], ...givers]);
    const above = {
      id: randomUUID(),
      device,
      guest: giver,
      permission: pick(['admin', 'admin', 'admin', 'control']),
      giver: manager.id,
    };
    const plain = { device, guest: person, ...terms() };
    return pick<() => ShareFacts[]>([
      () => [],
      () => [{ ...plain, permission: pick(DEVICE_PERMISSIONS), giver: owner.id }],
      () => [{ ...plain, permission: pick(DEVICE_PERMISSIONS), giver: manager.id, byRole: true }],
      () => [
        { ...above, ...terms(), byRole: pick([true, false, false]) },
        { ...plain, permission: pick(['view', 'control']), giver: giver.id, under: above.id },
      ],
    ])();
  });
  await insertShares(shares);
  const access = fixture.application.get(DeviceAccessService);
  const decided = (await Promise.all(devices.map(({ id }) => access.resolve(person.id, id)))).flatMap((each) =>
    each ? [{ id: each.id, permission: each.permission, owned: each.owned }] : [],
  );
  const path = '/devices?limit=70&fields=id,permission,owned&sort=name';
  const listed = await fixture.readAllPages<{ id: string }>(person, path);
  const byId = (one: { id: string }, other: { id: string }): number => one.id.localeCompare(other.id);
  expect(listed.sort(byId)).toEqual(decided.sort(byId));
  const count = (permission: string): number => decided.filter((each) => each.permission === permission).length;
  const { byPermission } = (await fixture.request<{ byPermission: object }>(person, 'GET', '/devices/stats')).body;
  expect(byPermission).toEqual(Object.fromEntries(DEVICE_PERMISSIONS.map((each) => [each, count(each)])));
  // Where a share is the only tie, some of each kind are open and some are not.
  const seen = new Set(decided.map(({ id }) => id));
  const strange = devices.filter((each) => each.owner !== person.id && organizations.indexOf(each.organization) < 3);
  const ways = strange.flatMap(({ id }) =>
    shares
      .filter(({ device, guest }) => device === id && guest === person)
      .map(({ under, byRole }) => `${under ? 'share' : byRole ? 'role' : 'owner'} ${String(seen.has(id))}`),
  );
  expect([...new Set(ways)].sort()).toEqual(
    ['owner', 'role', 'share'].flatMap((kind) => [`${kind} false`, `${kind} true`]),
  );
});

/** The list of devices: filters, orders, what of each, and the counts; of one’s own and of one’s organizations alone. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { OrganizationsFixture, type PageBody } from '../support/organizations.fixture.js';

interface Listed extends Record<string, unknown> {
  readonly name: string;
}

let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let organizationId: string;

/** Ada owns four devices, and is an operator where Bob has one; he has another that she does not see. */
beforeAll(async () => {
  fixture = await OrganizationsFixture.start({ ROLES: 'api' });
  ada = await fixture.createAccount('ada');
  const bob = await fixture.createAccount('bob');
  organizationId = (await fixture.createOrganization(bob)).id;
  await fixture.addMember(ada, 'OPERATOR', organizationId);
  const insert = (owner: InsertedAccount, facts: Record<string, unknown>): Promise<unknown> =>
    fixture.sql.rows(
      `INSERT INTO devices (id, owner_id, organization_id, name, hardware_id, type, room, location, status, battery, last_seen_at,
         firmware_version)
       SELECT gen_random_uuid(), $1, x.* FROM jsonb_to_record($2) AS x(organization uuid, name text, hardware text, type device_type,
         room text, location text, status device_status, battery int, seen timestamptz, firmware text)`,
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
  await insert(bob, { name: 'Hidden', room: 'Hall', battery: 1, status: 'online', firmware: '9' });
});

afterAll(() => fixture.stop());

const list = async (query: string): Promise<string> =>
  (await fixture.readAllPages<Listed>(ada, `/devices?${query}`)).map(({ name }) => name).join('');

describe('The list of devices', () => {
  it.each([
    ['status=online', 'BE'],
    ['room=Hall', 'BD'],
    ['location=Berlin,%20Hauptstr.%201', 'C'],
    ['owned=true', 'ABCD'],
    ['owned=false', 'E'],
    ['batteryBelow=50', 'AD'],
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
    ['battery,name', 'ADEBC'],
    ['-battery,-name', 'BEDAC'],
    ['-battery,name', 'BEADC'],
    ['room,-battery,name', 'BDAEC'],
    ['-lastSeenAt,name', 'DCABE'],
    ['lastSeenAt,-name', 'ACDEB'],
    ['type,name', 'ABDEC'],
    ['-type,-status,name', 'CADBE'],
    ['-status,name', 'ACDBE'],
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
      total: 5,
      owned: 4,
      byStatus: { online: 2, unknown: 3 },
      byType: { door_lock: 4, camera: 1 },
      byPermission: { admin: 4, control: 1 },
      rooms: 2,
      lowBattery: 2,
      onlineShare: 0.4,
      firmware: [
        { version: '1.0', count: 2 },
        { version: '2.0', count: 1 },
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

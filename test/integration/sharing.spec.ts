/** Sharing a device with a person: who may, what it gives, and how it ends. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { dayOfSummerTime } from '../support/summer-time.js';
import { closedHours, EVERY_DAY, type ShareBody, SharingFixture } from '../support/sharing.fixture.js';

let fixture: SharingFixture;
let ada: InsertedAccount;
let grace: InsertedAccount;
let mallory: InsertedAccount;
let door: string;

beforeAll(async () => {
  fixture = await SharingFixture.start({ ROLES: 'api' });
}, 60_000);

afterAll(() => fixture.stop());

beforeEach(async () => {
  ({ ada, grace, guest: mallory, id: door } = await fixture.createDoor());
});

const share = (who: InsertedAccount, guest: Pick<InsertedAccount, 'email'>, terms: Record<string, unknown> = {}) =>
  fixture.share(who, door, guest, terms);
const change = (who: InsertedAccount, id: string, body: object, headers?: Record<string, string>) =>
  fixture.changeShare(who, { door, id }, body, headers);
const tomorrow = (): string => new Date(Date.now() + 86_400_000).toISOString();

describe('Sharing a device', () => {
  it('gives a person who has an account what was said, at once', async () => {
    const { status, body } = await share(ada, { email: grace.email.toUpperCase() });
    expect(status).toBe(201);
    expect(body).toMatchObject({ email: grace.email, permission: 'control', state: 'open', suspended: false });
    expect(await fixture.devicesOf(grace)).toMatchObject([{ id: door, permission: 'control', owned: false }]);
    expect(await fixture.statusOf(mallory, door)).toBe(404);
    const rename = await fixture.request(grace, 'PATCH', `/devices/${door}`, { name: 'Mine' });
    expect([rename.status, rename.body.code]).toEqual([403, 'forbidden']);
    expect((await fixture.request(grace, 'DELETE', `/devices/${door}`)).status).toBe(403);
  });

  it('invites one who has none, and gives it once they accept, with all that waits for them', async () => {
    const email = `new-${randomUUID()}@example.com`;
    const answers = [await share(ada, { email }), await share(ada, grace)];
    const [shown, hidden] = answers.map(({ body }) => ({
      ...body,
      id: '',
      email: '',
      createdAt: '',
      updatedAt: '',
      nextOpening: null,
    }));
    // The answer does not tell whether there is an account.
    expect(shown).toEqual(hidden);
    const second = (await fixture.registerDevice(ada)).id;
    await fixture.share(ada, second, { email });
    const guest = await fixture.createAccountAt(email);
    expect(await fixture.devicesOf(guest)).toEqual([]);
    const token = fixture.mailed.get(email);
    const stolen = await fixture.request(mallory, 'POST', '/shares/accept', { token });
    expect([stolen.status, stolen.body.code]).toEqual([422, 'invalid_share_invitation']);
    expect((await fixture.request(guest, 'POST', '/shares/accept', { token })).status).toBe(204);
    expect((await fixture.devicesOf(guest)).map(({ id }) => id).sort()).toEqual([door, second].sort());
    expect((await fixture.request(guest, 'POST', '/shares/accept', { token })).status).toBe(422);
  });

  it('mails a new link, which ends the old one', async () => {
    const email = `late-${randomUUID()}@example.com`;
    const { body } = await share(ada, { email });
    const first = fixture.mailed.get(email);
    const again = await fixture.request(ada, 'POST', `/devices/${door}/shares/${body.id}/invitation`);
    expect(again.status).toBe(202);
    const guest = await fixture.createAccountAt(email);
    const old = await fixture.request(guest, 'POST', '/shares/accept', { token: first });
    expect([old.status, old.body.code]).toEqual([422, 'invalid_share_invitation']);
    const token = fixture.mailed.get(email);
    expect((await fixture.request(guest, 'POST', '/shares/accept', { token })).status).toBe(204);
  });

  it('is refused twice, to oneself, and beyond its time, with the reason', async () => {
    await share(ada, grace);
    const codes = [
      (await share(ada, grace, { permission: 'view' })).body.code,
      (await share(ada, ada)).body.code,
      (await share(ada, mallory, { until: '2020-01-01T00:00:00Z' })).body.code,
      (await share(ada, mallory, { from: tomorrow(), until: tomorrow() })).body.code,
      (await share(ada, mallory, { recurrence: { rule: 'RRULE:FREQ=DAILY', durationMinutes: 5 } })).body.code,
    ];
    expect(codes).toEqual([
      'already_shared',
      'share_with_self',
      'invalid_share_terms',
      'invalid_share_terms',
      'invalid_share_terms',
    ]);
    expect(await fixture.devicesOf(mallory)).toEqual([]);
  });

  it('is the right of those who have admin, and hidden from strangers', async () => {
    const { body } = await share(ada, grace);
    for (const [method, path] of [
      ['GET', ''],
      ['GET', `/${body.id}`],
      ['PATCH', `/${body.id}`],
      ['DELETE', `/${body.id}`],
      ['POST', ''],
      ['GET', `/${body.id}/openings`],
      ['POST', `/${body.id}/invitation`],
    ] as const) {
      const request = {
        GET: undefined,
        DELETE: undefined,
        PATCH: { suspended: true },
        POST: { email: mallory.email, permission: 'view' },
      };
      const url = `/devices/${door}/shares${path}`;
      expect([(await fixture.request(mallory, method, url, request[method])).status, method, path]).toEqual([
        404,
        method,
        path,
      ]);
      expect([(await fixture.request(grace, method, url, request[method])).status, method, path]).toEqual([
        403,
        method,
        path,
      ]);
    }
    const other = (await fixture.registerDevice(mallory)).id;
    expect((await fixture.request(mallory, 'GET', `/devices/${other}/shares/${body.id}`)).status).toBe(404);
    expect((await fixture.request(mallory, 'DELETE', `/shares/${body.id}`)).status).toBe(404);
  });
});

describe('A share', () => {
  it('is changed, suspended and resumed, each as one version', async () => {
    const { body } = await share(ada, grace);
    const viewer = await change(ada, body.id, { permission: 'view' }, { 'if-match': '"1"' });
    expect(viewer.body).toMatchObject({ permission: 'view', version: 2 });
    expect((await change(ada, body.id, { permission: 'admin' }, { 'if-match': '"1"' })).status).toBe(412);
    expect((await change(ada, body.id, { suspended: true })).body.state).toBe('suspended');
    expect(await fixture.statusOf(grace, door)).toBe(404);
    const held = await fixture.request<{ items: ShareBody[] }>(grace, 'GET', '/shares');
    expect(held.body.items).toMatchObject([{ id: body.id, state: 'suspended', deviceName: 'Front door' }]);
    expect((await change(ada, body.id, { suspended: false })).body.state).toBe('open');
    expect(await fixture.statusOf(grace, door)).toBe(200);
  });

  it('is open by its weekly schedule alone, wherever it is asked, and is shown before', async () => {
    const later = closedHours();
    const { body } = await share(ada, grace, { schedule: later });
    expect(body.state).toBe('closed');
    expect(body.nextOpening?.from).toContain(`T${later.windows[0].from}:00.000Z`);
    expect([await fixture.statusOf(grace, door), await fixture.devicesOf(grace)]).toEqual([404, []]);
    const days = ['monday', 'Tue', 'we', 'TH', 'FR', 'SA', 'SU'];
    const always = { timeZone: 'europe/berlin', windows: [{ days, from: '6:00', until: '06:00' }] };
    expect((await change(ada, body.id, { schedule: always })).body).toMatchObject({
      state: 'open',
      schedule: {
        timeZone: 'Europe/Berlin',
        windows: [{ from: '06:00', days: EVERY_DAY }],
      },
    });
    expect(await fixture.devicesOf(grace)).toHaveLength(1);
    const preview = await fixture.request<{ items: { from: string }[] }>(
      ada,
      'POST',
      `/devices/${door}/shares/preview`,
      {
        recurrence: {
          rule: `DTSTART;TZID=Europe/Berlin:${dayOfSummerTime(-2).replaceAll('-', '')}T090000\nRRULE:FREQ=DAILY;COUNT=4`,
          durationMinutes: 60,
        },
        after: `${dayOfSummerTime(-2)}T00:00:00Z`,
      },
    );
    expect(preview.body.items.map(({ from }) => from)).toEqual([
      `${dayOfSummerTime(-2)}T08:00:00.000Z`,
      `${dayOfSummerTime(-1)}T08:00:00.000Z`,
      `${dayOfSummerTime(0)}T07:00:00.000Z`,
      `${dayOfSummerTime(1)}T07:00:00.000Z`,
    ]);
    const openings = await fixture.request<{ items: object[] }>(
      ada,
      'GET',
      `/devices/${door}/shares/${body.id}/openings?count=3`,
    );
    expect(openings.body.items.length).toBeGreaterThan(0);
  });

  it('ends by revocation and by leaving, with events that name no person', async () => {
    const { body } = await share(ada, grace);
    expect((await fixture.request(ada, 'DELETE', `/devices/${door}/shares/${body.id}`)).status).toBe(204);
    expect(await fixture.statusOf(grace, door)).toBe(404);
    const again = await share(ada, grace);
    expect((await fixture.request(grace, 'DELETE', `/shares/${again.body.id}`)).status).toBe(204);
    expect(await fixture.statusOf(grace, door)).toBe(404);
    const events = await fixture.sql.rows<{ type: string; payload: object }>(
      `SELECT type, payload FROM events WHERE device_id = $1 AND type LIKE 'share%' ORDER BY id`,
      [door],
    );
    expect(events.map(({ type }) => type)).toEqual([
      'share_granted',
      'share_revoked',
      'share_granted',
      'share_revoked',
    ]);
    expect(JSON.stringify(events)).not.toContain(grace.email);
    expect(events[3]?.payload).toMatchObject({ reason: 'left' });
  });

  it('of a person who holds a share gives less than theirs, and stands and falls with it', async () => {
    const tenant = await share(ada, grace, { permission: 'admin', until: tomorrow() });
    const equal = await share(grace, mallory, { permission: 'admin' });
    expect(equal.body).toMatchObject({ code: 'forbidden', required: 'device:manager' });
    const guest = await share(grace, mallory, { permission: 'control' });
    expect(guest.status).toBe(201);
    const own = await change(grace, tenant.body.id, { until: null });
    expect([own.status, own.body.code]).toEqual([403, 'forbidden']);
    expect(await fixture.statusOf(mallory, door)).toBe(200);
    await change(ada, tenant.body.id, { suspended: true });
    expect(await fixture.statusOf(mallory, door)).toBe(404);
    await change(ada, tenant.body.id, { suspended: false });
    expect(await fixture.devicesOf(mallory)).toHaveLength(1);
    await change(ada, tenant.body.id, { permission: 'view' });
    const withheld = await fixture.request<ShareBody>(ada, 'GET', `/devices/${door}/shares/${guest.body.id}`);
    expect(withheld.body).toMatchObject({ suspended: false, state: 'withheld', nextOpening: null });
    expect(await fixture.devicesOf(mallory)).toEqual([]);
    await fixture.request(ada, 'DELETE', `/devices/${door}/shares/${tenant.body.id}`);
    const left = await fixture.request<{ items: ShareBody[] }>(ada, 'GET', `/devices/${door}/shares`);
    expect(left.body.items).toEqual([]);
  });

  it('is bounded: one person gives an address twenty, which keeps no other from giving theirs', async () => {
    const stranger = await fixture.createAccount('stranger');
    await fixture.shareMany(stranger.id, grace.email, 20);
    const { id } = await fixture.registerDevice(stranger);
    const refused = await fixture.share(stranger, id, grace);
    expect([refused.status, refused.body.code]).toEqual([409, 'too_many_shares']);
    expect((await fixture.share(stranger, id, ada)).status).toBe(201);
    expect((await share(ada, grace)).status).toBe(201);
    // What their devices were shared for by another is not theirs, until they let it give more.
    await fixture.sql.rows('UPDATE device_shares SET granted_by = $2 WHERE granted_by = $1', [stranger.id, mallory.id]);
    const own = await fixture.share(stranger, id, grace);
    expect(own.status).toBe(201);
    await fixture.sql.rows('UPDATE device_shares SET granted_by = $2 WHERE granted_by = $1', [mallory.id, stranger.id]);
    await fixture.sql.rows('UPDATE device_shares SET granted_by = $2 WHERE id = $1', [own.body.id, mallory.id]);
    const raise = await fixture.changeShare(stranger, { door: id, id: own.body.id }, { permission: 'admin' });
    expect([raise.status, raise.body.code]).toEqual([409, 'too_many_shares']);
  });

  it('is bounded: a device has a hundred', async () => {
    await fixture.sql.rows(
      `INSERT INTO device_shares (id, device_id, email, permission)
       SELECT gen_random_uuid(), $1, 'guest-' || n || '@example.com', 'view' FROM generate_series(1, 100) AS n`,
      [door],
    );
    expect((await share(ada, grace)).body.code).toBe('too_many_shares');
    const page = await fixture.request<{ items: ShareBody[]; nextCursor: string | null }>(
      ada,
      'GET',
      `/devices/${door}/shares?limit=60`,
    );
    expect([page.body.items.length, page.body.nextCursor === null]).toEqual([60, false]);
    expect(await fixture.readAllPages<ShareBody>(ada, `/devices/${door}/shares?limit=60`)).toHaveLength(100);
  });

  it('decides between two changes at one instant: a revocation wins over what its holder gives', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { body } = await share(ada, grace, { permission: 'admin' });
      const [, given] = await Promise.all([
        fixture.request(ada, 'DELETE', `/devices/${door}/shares/${body.id}`),
        share(grace, mallory, { permission: 'view' }),
      ]);
      expect([201, 404]).toContain(given.status);
      expect(await fixture.devicesOf(mallory)).toEqual([]);
      expect(await fixture.devicesOf(grace)).toEqual([]);
    }
  });
});

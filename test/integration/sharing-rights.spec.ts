/**
 * What people may give and take who have a device from others: never more than they have, never longer, and nothing of what
 * the owner gave. And what cannot be read gives nothing, and stops nobody else.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { closedHours, type ShareBody, SharingFixture } from '../support/sharing.fixture.js';

let fixture: SharingFixture;
let ada: InsertedAccount;
let grace: InsertedAccount;
let guest: InsertedAccount;
let door: string;

beforeAll(async () => {
  fixture = await SharingFixture.start({ ROLES: 'api' });
}, 60_000);

afterAll(() => fixture.stop());

beforeEach(async () => {
  ({ ada, grace, guest, id: door } = await fixture.createDoor());
});

const give = async (
  who: InsertedAccount,
  to: InsertedAccount,
  terms: Record<string, unknown> = {},
): Promise<string> => {
  const { status, body } = await fixture.share(who, door, to, terms);
  expect([status, body.code]).toEqual([201, undefined]);
  return body.id;
};
const change = (who: InsertedAccount, id: string, body: object) => fixture.changeShare(who, { door, id }, body);
const seenBy = (who: InsertedAccount): Promise<number> => fixture.statusOf(who, door);

describe('The holder of a share with admin', () => {
  it('gives nothing that is open while their own hours are closed', async () => {
    const tenant = await give(ada, grace, { permission: 'admin' });
    await give(grace, guest);
    expect(await seenBy(guest)).toBe(200);
    await change(ada, tenant, { schedule: closedHours() });
    expect([await seenBy(grace), await seenBy(guest)]).toEqual([404, 404]);
    await change(ada, tenant, { schedule: null });
    await fixture.sql.rows('UPDATE users SET blocked_at = now() WHERE id = $1', [grace.id]);
    expect(await seenBy(guest)).toBe(404);
  });

  it('changes and ends nothing that the owner gave', async () => {
    const suspended = await give(ada, guest, { permission: 'view' });
    await change(ada, suspended, { suspended: true });
    await give(ada, grace, { permission: 'admin' });
    const wider = await change(grace, suspended, { suspended: false, until: null, permission: 'control' });
    expect([wider.status, wider.body.code]).toEqual([403, 'forbidden']);
    const url = `/devices/${door}/shares/${suspended}`;
    expect((await fixture.request(grace, 'DELETE', url)).status).toBe(403);
    expect((await fixture.request(grace, 'POST', `${url}/invitation`)).status).toBe(403);
    expect(await seenBy(guest)).toBe(404);
  });

  it('learns of no address whether it is the owner’s, or a member’s of the organization', async () => {
    const organization = await fixture.createOrganization(ada);
    await fixture.request(ada, 'PATCH', `/devices/${door}`, { organizationId: organization.id });
    const member = await fixture.addMember(await fixture.createAccount('member'), 'OPERATOR', organization.id);
    await give(ada, grace, { permission: 'admin' });
    const check = async (who: InsertedAccount, about: object): Promise<unknown> =>
      (await fixture.request(who, 'POST', `/devices/${door}/access-check`, { needs: 'view', ...about })).body.sources;
    for (const { email, id } of [ada, member, guest]) {
      expect([await check(grace, { email }), await check(grace, { userId: id })]).toEqual([[], []]);
    }
    expect(await check(ada, { email: member.email })).toMatchObject([{ source: 'organization' }]);
    expect(await check(grace, {})).toMatchObject([{ source: 'share' }]);
    await give(grace, guest);
    expect(await check(grace, { email: guest.email })).toMatchObject([{ source: 'share' }]);
    // The address that an account has now is not that which the device was shared with.
    await fixture.sql.rows('UPDATE users SET email = $2 WHERE id = $1', [guest.id, `new-${guest.email}`]);
    expect(await check(grace, { email: `new-${guest.email}` })).toEqual([]);
  });

  it.each([{ suspended: true }, { permission: 'view' }])('undoes nothing that the owner did: %j', async (narrowed) => {
    const tenant = await give(ada, grace, { permission: 'admin' });
    const below = await give(grace, guest);
    const wider = { suspended: false, permission: 'control' };
    // What they did themselves they undo.
    expect((await change(grace, below, narrowed)).status).toBe(200);
    expect((await change(grace, below, wider)).status).toBe(200);
    expect((await change(ada, below, narrowed)).body).toMatchObject(narrowed);
    for (const undone of [wider, { until: null, ...wider }]) {
      expect((await change(grace, below, undone)).body).toMatchObject({
        code: 'forbidden',
        required: 'device:manager',
      });
    }
    const url = `/devices/${door}/shares/${below}`;
    expect((await fixture.request(grace, 'DELETE', url)).status).toBe(403);
    // Taking more is theirs still, and does not make it theirs again.
    expect((await change(grace, below, { suspended: true, permission: 'view' })).status).toBe(200);
    expect((await change(grace, below, wider)).status).toBe(403);
    // It hangs on their right as before, and the owner ends it.
    expect((await change(ada, tenant, { permission: 'view' })).status).toBe(200);
    expect((await fixture.request<ShareBody>(ada, 'GET', url)).body.state).toBe('suspended');
    expect((await change(ada, below, wider)).status).toBe(200);
    expect(await seenBy(guest)).toBe(200);
  });

  it('has no chain below them: what the owner raises is the owner’s from then on', async () => {
    const tenant = await give(ada, grace, { permission: 'admin' });
    const below = await give(grace, guest);
    expect((await change(ada, below, { permission: 'admin' })).status).toBe(200);
    await change(ada, tenant, { suspended: true });
    expect([await seenBy(grace), await seenBy(guest)]).toEqual([404, 200]);
    await fixture.request(ada, 'DELETE', `/devices/${door}/shares/${tenant}`);
    expect(await seenBy(guest)).toBe(200);
    const ended = await fixture.sql.rows(
      `SELECT 1 FROM audit_entries WHERE action = 'share_revoked' AND outcome = 'success' AND entity_id = ANY ($1)`,
      [[tenant, below]],
    );
    expect(ended).toHaveLength(1);
  });
});

describe('A manager of the organization', () => {
  it('gives what lasts as long as their role, and as the device is there', async () => {
    const organization = await fixture.createOrganization(ada);
    await fixture.request(ada, 'PATCH', `/devices/${door}`, { organizationId: organization.id });
    await fixture.addMember(grace, 'MANAGER', organization.id);
    const id = await give(grace, guest, { permission: 'admin' });
    expect(await seenBy(guest)).toBe(200);
    await fixture.request(ada, 'PATCH', `/devices/${door}`, { organizationId: null });
    expect(await seenBy(guest)).toBe(404);
    await fixture.request(ada, 'PATCH', `/devices/${door}`, { organizationId: organization.id });
    expect(await seenBy(guest)).toBe(200);
    await fixture.request(ada, 'DELETE', `/organizations/${organization.id}/members/${grace.id}`);
    expect(await seenBy(guest)).toBe(404);
    const left = await fixture.request<ShareBody>(ada, 'GET', `/devices/${door}/shares/${id}`);
    expect(left.body.state).toBe('withheld');
  });
});

/** Each takes the role of a manager, or what it reaches, and gives it back. */
const ROLE_ENDS: Readonly<Record<string, readonly [end: string, undo: string]>> = {
  'is removed': [
    'DELETE FROM memberships WHERE user_id = $1 AND organization_id = $2',
    `INSERT INTO memberships (user_id, organization_id, role) VALUES ($1, $2, 'MANAGER')`,
  ],
  'is demoted': [
    `UPDATE memberships SET role = 'OPERATOR' WHERE user_id = $1 AND organization_id = $2`,
    `UPDATE memberships SET role = 'MANAGER' WHERE user_id = $1 AND organization_id = $2`,
  ],
  'is blocked': [
    'UPDATE users SET blocked_at = now() WHERE id = $1 AND $2::uuid IS NOT NULL',
    'UPDATE users SET blocked_at = NULL WHERE id = $1 AND $2::uuid IS NOT NULL',
  ],
  'has the device no more': [
    'UPDATE devices SET organization_id = NULL WHERE $1::uuid IS NOT NULL AND organization_id = $2',
    'UPDATE devices SET organization_id = $2 WHERE id = $3 AND $1::uuid IS NOT NULL',
  ],
};

describe('What was given by the share that a manager gave', () => {
  it.each(['gave', 'raised'])('is open only while the manager who %s it could give it', async (how) => {
    const [manager, organization] = [await fixture.createAccount('manager'), await fixture.createOrganization(ada)];
    await fixture.request(ada, 'PATCH', `/devices/${door}`, { organizationId: organization.id });
    await fixture.addMember(manager, 'MANAGER', organization.id);
    const tenant = await give(how === 'gave' ? manager : ada, grace, { permission: how === 'gave' ? 'admin' : 'view' });
    expect((await change(manager, tenant, { permission: 'admin' })).status).toBe(200);
    const below = await give(grace, guest);
    for (const [name, [end, undo]] of Object.entries(ROLE_ENDS)) {
      const sees = async (): Promise<unknown> => {
        const { body } = await fixture.request<ShareBody>(ada, 'GET', `/devices/${door}/shares/${below}`);
        return [name, await seenBy(grace), await seenBy(guest), (await fixture.devicesOf(guest)).length, body.state];
      };
      expect(await sees()).toEqual([name, 200, 200, 1, 'open']);
      const ids = [manager.id, organization.id];
      await fixture.sql.rows(end, ids);
      expect(await sees()).toEqual([name, 404, 404, 0, 'withheld']);
      await fixture.sql.rows(undo, undo.includes('$3') ? [...ids, door] : ids);
    }
  });
});

describe('The owner whose password an administrator may know', () => {
  it('takes from others, and gives nothing', async () => {
    const id = await give(ada, grace);
    await fixture.sql.rows(`UPDATE users SET unlock_after = now() + interval '1 hour' WHERE id = $1`, [ada.id]);
    expect((await change(ada, id, { permission: 'view' })).status).toBe(200);
    expect((await change(ada, id, { suspended: true })).status).toBe(200);
    expect((await change(ada, id, { suspended: false })).body.code).toBe('unlock_restricted');
    expect((await fixture.share(ada, door, guest)).body.code).toBe('unlock_restricted');
  });
});

describe('A schedule', () => {
  it.each([
    { schedule: [] },
    { schedule: { timeZone: 'UTC', windows: [[]] } },
    { schedule: { timeZone: 'UTC', windows: [] } },
    { recurrence: [] },
  ])('that is none is refused, and nothing of it is kept: %j', async (terms) => {
    const refused = await fixture.share(ada, door, guest, terms);
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid_request']);
    expect(await fixture.sql.rows('SELECT 1 FROM device_shares WHERE device_id = $1', [door])).toEqual([]);
  });

  it.each(['{}', '{"timeZone":"Mars/Base","windows":[]}', '{"timeZone":"UTC","windows":[{"days":"MO"}]}'])(
    'that cannot be read is never open, and breaks no list: %s',
    async (stored) => {
      const id = await give(ada, guest);
      await fixture.sql.rows('UPDATE device_shares SET schedule = $2::jsonb WHERE id = $1', [id, stored]);
      expect([await seenBy(guest), await fixture.devicesOf(guest)]).toEqual([404, []]);
      const held = await fixture.request<{ items: ShareBody[] }>(guest, 'GET', '/shares');
      expect([held.status, held.body.items[0]?.state]).toEqual([200, 'closed']);
      expect((await fixture.request(ada, 'GET', `/devices/${door}/access`)).status).toBe(200);
    },
  );

  it.each([
    ['RRULE:FREQ=WEEKLY;COUNT=3', {}, '/recurrence/rule', 'the end of its last occurrence must be in the future'],
    ['RRULE:FREQ=WEEKLY;COUNT=3', { until: '2020-01-01T00:00:00Z' }, '/until', '`until` must be'],
    [
      'DURATION:PT8H\nRRULE:FREQ=WEEKLY',
      {},
      '/recurrence/durationMinutes',
      '`durationMinutes`: 60, where the rule says 480',
    ],
  ])('that is read from a rule is refused where the fault is: %s %j', async (lines, more, pointer, detail) => {
    const recurrence = { rule: `DTSTART;TZID=Europe/Berlin:20200106T090000\n${lines}`, durationMinutes: 60 };
    const answers = [
      await fixture.share(ada, door, guest, { recurrence, ...more }),
      await fixture.request(ada, 'POST', `/devices/${door}/shares/preview`, { recurrence, ...more }),
    ];
    for (const { status, body } of answers) {
      const { errors } = body as { errors?: { pointer: string; detail: string }[] };
      expect([status, errors?.map((one) => one.pointer)]).toEqual([400, [pointer]]);
      expect(errors?.[0]?.detail).toContain(detail);
    }
  });

  it('leaves the window as it was when it is read from a rule, or makes it shorter', async () => {
    const [from, until] = ['2037-01-01T00:00:00.000Z', '2037-02-01T00:00:00.000Z'];
    const id = await give(ada, guest, { from, until });
    const rule = 'DTSTART;TZID=UTC:20260105T000000\nRRULE:FREQ=DAILY';
    const recurrence = { rule, durationMinutes: 1_440 };
    const changed = await change(ada, id, { recurrence });
    expect(changed.body).toMatchObject({ from, until, state: 'not_yet', schedule: { windows: [{ from: '00:00' }] } });
    const shorter = { ...recurrence, rule: `${rule};UNTIL=20370110T000000Z` };
    expect((await change(ada, id, { recurrence: shorter })).body.until).toBe('2037-01-11T00:00:00.000Z');
    const given = await change(ada, id, { recurrence: shorter, until: null });
    expect(given.body).toMatchObject({ from, until: null });
  });

  it('costs an answer no more than a moment, whatever rule it is read from', async () => {
    const every = (length: number): string => Array.from({ length }, (_, index) => index).join(',');
    const rule = `DTSTART;TZID=Europe/Berlin:20260105T090000\nRRULE:FREQ=DAILY;BYHOUR=${every(24)};BYMINUTE=${every(60)};UNTIL=20990101T000000Z`;
    const began = performance.now();
    const { body } = await fixture.request(ada, 'POST', `/devices/${door}/shares/preview`, {
      recurrence: { rule, durationMinutes: 1 },
    });
    expect(body.code).toBe('invalid_share_terms');
    // It was 22 seconds before.
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe('A change of a share that changes nothing', () => {
  it('leaves it as it was, and tells nobody', async () => {
    const id = await give(ada, grace, { permission: 'admin' });
    const below = await give(grace, guest, { permission: 'view' });
    const asGiven = { version: 1, permission: 'view', suspended: false };
    for (const same of [{}, { permission: 'view', suspended: false }, { schedule: null, from: null, until: null }]) {
      const { status, body } = await change(grace, below, same);
      expect([status, body]).toMatchObject([200, asGiven]);
    }
    // An owner who names no member does not say that it is to be so.
    expect((await change(ada, below, {})).body).toMatchObject(asGiven);
    expect((await change(grace, below, { suspended: true })).body.version).toBe(2);
    expect((await change(grace, below, { suspended: false })).body.version).toBe(3);
    const stale = await fixture.changeShare(ada, { door, id }, { permission: 'admin' }, { 'if-match': '"2"' });
    expect([stale.status, stale.body.code]).toEqual([412, 'share_changed']);
    const told = await fixture.sql.rows<{ changed: string }>(
      `SELECT payload->>'changed' AS changed FROM events WHERE device_id = $1 AND type = 'share_changed' ORDER BY id`,
      [door],
    );
    expect(told).toEqual([{ changed: '["suspended"]' }, { changed: '["suspended"]' }]);
  });
});

/**
 * Whose right stands in an organization: only that of an account that can act, at the moment of the change. Seen to
 * fail: with a sender of whom only the deletion counts, with blocked owners counted, with a transfer that does not
 * lock the account of the heir (2 of 20 organizations were left without an owner), and with a block that does not lock
 * the organizations of the account (its other owner left while it was on its way).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeviceAccessService } from '../../src/features/sharing/access/device-access.service.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import {
  OrganizationsFixture,
  type OrganizationBody,
  type PageBody,
  type AnswerOrProblem,
} from '../support/organizations.fixture.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

const ROUNDS = 10;
const LIMIT = 4;

let fixture: OrganizationsFixture;
let admin: InsertedAccount;
let ada: InsertedAccount;
let grace: InsertedAccount;
let organization: OrganizationBody;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start({ ROLES: 'api', MAX_ORGANIZATIONS_PER_USER: String(LIMIT) });
  admin = await insertAccount(fixture.application, { name: 'admin', role: 'ADMIN' });
}, 60_000);

afterAll(() => fixture.stop());

beforeEach(async () => {
  [ada, grace] = [await fixture.createAccount('ada'), await fixture.createAccount('grace')];
  organization = await fixture.createOrganization(ada);
});

const path = (rest = ''): string => `/organizations/${organization.id}${rest}`;
const change = (who: InsertedAccount, method: string, rest: string, body?: unknown): Promise<AnswerOrProblem> =>
  fixture.request(who, method, path(rest), body);
const block = (who: InsertedAccount): Promise<AnswerOrProblem> =>
  fixture.request(admin, 'POST', `/users/${who.id}/block`);
const unblock = (who: InsertedAccount): Promise<AnswerOrProblem> =>
  fixture.request(admin, 'POST', `/users/${who.id}/unblock`);
const remove = (who: InsertedAccount): Promise<AnswerOrProblem> => fixture.request(admin, 'DELETE', `/users/${who.id}`);
const invitations = async (): Promise<unknown[]> =>
  (await fixture.request<PageBody<unknown>>(ada, 'GET', path('/invitations'))).body.items;
const roleOf = async ({ id }: InsertedAccount): Promise<string | undefined> =>
  (
    await fixture.sql.rows<{ role: string }>(
      'SELECT role FROM memberships WHERE organization_id = $1 AND user_id = $2',
      [organization.id, id],
    )
  )[0]?.role;
const actingOwners = async (): Promise<number> =>
  (
    await fixture.sql.rows(
      `SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id
       WHERE m.organization_id = $1 AND m.role = 'OWNER' AND u.blocked_at IS NULL AND u.deleted_at IS NULL`,
      [organization.id],
    )
  ).length;

/** Runs `work` while another transaction has made `statement` and holds its rows, and commits that once `work` waits. */
async function during(
  statement: string,
  values: readonly unknown[],
  work: () => Promise<AnswerOrProblem>,
): Promise<AnswerOrProblem> {
  const other = await Sql.open(fixture.application.databaseUrl);
  try {
    await other.rows('BEGIN');
    await other.rows(statement, values);
    const working = work();
    await eventually('the request waits for the other transaction', async () => (await fixture.sql.lockWaits()) > 0);
    await other.rows('COMMIT');
    return await working;
  } finally {
    await other.end();
  }
}

/** Runs `work` while a block is about to commit: it waits for a session of the account until `work` waits for it, too. */
async function whileBlocking(who: InsertedAccount, work: () => Promise<AnswerOrProblem>): Promise<AnswerOrProblem> {
  const other = await Sql.open(fixture.application.databaseUrl);
  try {
    await other.rows('BEGIN');
    await other.rows('SELECT 1 FROM sessions WHERE user_id = $1 FOR UPDATE', [who.id]);
    const blocking = block(who);
    await eventually('the block waits', async () => (await fixture.sql.lockWaits()) > 0);
    let isDone = false;
    const working = work().finally(() => {
      isDone = true;
    });
    await eventually('the request waits for the block', async () => isDone || (await fixture.sql.lockWaits()) > 1);
    await other.rows('COMMIT');
    expect((await blocking).status).toBe(204);
    return await working;
  } finally {
    await other.end();
  }
}

describe('An invitation by a member who was blocked since', () => {
  it('admits no one, not even as an owner, and does not come back when they are unblocked', async () => {
    await fixture.addMember(grace, 'OWNER', organization.id);
    const guest = await fixture.createAccount('guest');
    await fixture.insertInvitation(organization.id, guest, { sender: grace, role: 'OWNER' });
    expect((await block(grace)).status).toBe(204);
    expect((await fixture.accept(guest)).body).toMatchObject({ code: 'invalid_invitation', status: 422 });
    expect(await invitations()).toEqual([]);
    await unblock(grace);
    expect((await fixture.accept(guest)).status).toBe(422);
    const trail = await fixture.sql.rows(
      `SELECT actor FROM audit_entries WHERE action = 'invitation_revoked' AND before->>'invitedBy' = $1`,
      [grace.id],
    );
    expect(trail).toEqual([{ actor: `user:${admin.id}` }]);
  });

  it('admits no one while the block is on its way', async () => {
    await fixture.addMember(grace, 'MANAGER', organization.id);
    const guest = await fixture.createAccount('guest');
    await fixture.insertInvitation(organization.id, guest, { sender: grace });
    const answer = await during('UPDATE users SET blocked_at = now() WHERE id = $1', [grace.id], () =>
      fixture.accept(guest),
    );
    expect(answer.body).toMatchObject({ code: 'invalid_invitation' });
    expect(await roleOf(guest)).toBeUndefined();
  });

  it('admits or does not when both come at once, and is gone afterwards', async () => {
    await fixture.addMember(grace, 'MANAGER', organization.id);
    const guests = await Promise.all(Array.from({ length: ROUNDS }, () => fixture.createAccount('guest')));
    for (const guest of guests) {
      await fixture.insertInvitation(organization.id, guest, { sender: grace });
    }
    const [blocked, ...accepted] = await Promise.all([block(grace), ...guests.map((guest) => fixture.accept(guest))]);
    expect(blocked.status).toBe(204);
    for (const [index, guest] of guests.entries()) {
      expect([200, 422]).toContain(accepted[index]?.status);
      expect(await roleOf(guest)).toBe(accepted[index]?.status === 200 ? 'VIEWER' : undefined);
    }
    expect(await invitations()).toEqual([]);
  });

  it('ends with the role or the membership that it needs, and one that needs less stays', async () => {
    await fixture.addMember(grace, 'OWNER', organization.id);
    const [first, second] = [await fixture.createAccount('first'), await fixture.createAccount('second')];
    await fixture.insertInvitation(organization.id, first, { sender: grace, role: 'MANAGER' });
    await fixture.insertInvitation(organization.id, second, { sender: grace, role: 'VIEWER' });
    expect((await change(ada, 'PATCH', `/members/${grace.id}`, { role: 'MANAGER' })).status).toBe(200);
    expect(await invitations()).toMatchObject([{ email: second.email }]);
    expect((await change(grace, 'POST', '/leave')).status).toBe(204);
    expect(await invitations()).toEqual([]);
    expect((await fixture.accept(second)).status).toBe(422);
  });
});

describe('An organization keeps an owner who can act, unless an administrator blocks the last one', () => {
  it('when it is handed over to a member whose account is deleted at that moment', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      [ada, grace] = [await fixture.createAccount('ada'), await fixture.createAccount('grace')];
      organization = await fixture.createOrganization(ada);
      await fixture.addMember(grace, 'MANAGER', organization.id);
      const [handed, deleted] = await Promise.all([
        change(ada, 'POST', '/transfer', { userId: grace.id }),
        remove(grace),
      ]);
      expect([
        [204, 409],
        [404, 204],
      ]).toContainEqual([handed.status, deleted.status]);
      expect(await actingOwners()).toBe(1);
    }
  }, 30_000);

  it.each([
    ['deleted', 'deleted_at', 'member_not_found'],
    ['blocked', 'blocked_at', 'member_cannot_act'],
  ])('when the account of the heir is being %s', async (_how, column, code) => {
    await fixture.addMember(grace, 'MANAGER', organization.id);
    const answer = await during(`UPDATE users SET ${column} = now() WHERE id = $1`, [grace.id], () =>
      change(ada, 'POST', '/transfer', { userId: grace.id }),
    );
    expect(answer.body).toMatchObject({ code });
    expect(await actingOwners()).toBe(1);
  });

  it('when an account is deleted while it inherits', async () => {
    await fixture.addMember(grace, 'MANAGER', organization.id);
    const handOver = `WITH heir AS (SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE)
      UPDATE memberships SET role = CASE user_id WHEN heir.id THEN 'OWNER' ELSE 'MANAGER' END::organization_role
      FROM heir WHERE organization_id = $2`;
    const answer = await during(handOver, [grace.id, organization.id], () => remove(grace));
    expect(answer.body).toMatchObject({ code: 'last_owner' });
  });

  it('so that a blocked one counts for nothing, and can be taken out', async () => {
    await fixture.addMember(grace, 'OWNER', organization.id);
    await block(grace);
    for (const [method, rest, body] of [
      ['POST', '/leave', undefined],
      ['PATCH', `/members/${ada.id}`, { role: 'VIEWER' }],
    ] as const) {
      expect((await change(ada, method, rest, body)).body).toMatchObject({ code: 'last_owner' });
    }
    expect((await remove(ada)).body).toMatchObject({ code: 'last_owner' });
    expect((await change(ada, 'DELETE', `/members/${grace.id}`)).status).toBe(204);
  });

  it.each<[string, () => Promise<AnswerOrProblem>]>([
    ['leaves', () => change(ada, 'POST', '/leave')],
    ['steps down', () => change(ada, 'PATCH', `/members/${ada.id}`, { role: 'VIEWER' })],
    [
      'is deleted',
      async () =>
        fixture.request(await insertAccount(fixture.application, { role: 'ADMIN' }), 'DELETE', `/users/${ada.id}`),
    ],
  ])('when its other owner %s while one is being blocked', async (_how, go) => {
    await fixture.addMember(grace, 'OWNER', organization.id);
    expect((await whileBlocking(grace, go)).body).toMatchObject({ code: 'last_owner' });
    expect(await actingOwners()).toBe(1);
  });

  it('and the trail says which ones such a block left without', async () => {
    const shared = await fixture.createOrganization(ada);
    await fixture.addMember(grace, 'OWNER', shared.id);
    await block(ada);
    const trail = `SELECT actor, entity_id, after FROM audit_entries WHERE action = 'organization_left_without_owner'`;
    expect(await fixture.sql.rows(`${trail} AND after->>'userId' = $1`, [ada.id])).toEqual([
      { actor: `user:${admin.id}`, entity_id: organization.id, after: { userId: ada.id } },
    ]);
    await block(grace);
    expect(await fixture.sql.rows(`${trail} AND after->>'userId' = $1`, [grace.id])).toMatchObject([
      { entity_id: shared.id },
    ]);
  });

  it('and a blocked member does not become one', async () => {
    await fixture.addMember(grace, 'MANAGER', organization.id);
    await block(grace);
    expect((await change(ada, 'PATCH', `/members/${grace.id}`, { role: 'OWNER' })).body.code).toBe('member_cannot_act');
    expect((await change(ada, 'POST', '/transfer', { userId: grace.id })).body.code).toBe('member_cannot_act');
    expect((await change(ada, 'PATCH', `/members/${grace.id}`, { role: 'VIEWER' })).status).toBe(200);
  });
});

describe('A blocked account', () => {
  it('has no permission for devices, its own ones included, on the spot', async () => {
    const devices = fixture.application.get(DeviceAccessService);
    const { id } = await fixture.registerDevice(grace);
    await fixture.sql.rows('UPDATE users SET blocked_at = now() WHERE id = $1', [grace.id]);
    expect(await devices.resolve(grace.id, id)).toBeNull();
  });

  it.each(['/devices', '/organizations'])('makes nothing at %s while a session is still remembered', async (where) => {
    const body = where === '/devices' ? { name: 'Door', hardwareId: grace.id } : { name: 'House' };
    expect((await fixture.request(grace, 'GET', '/devices')).status).toBe(200);
    await fixture.sql.rows('UPDATE users SET blocked_at = now() WHERE id = $1', [grace.id]);
    expect((await fixture.request(grace, 'POST', where, body)).body).toMatchObject({ code: 'account_cannot_act' });
  });
});

describe('A change by a member whose role was taken at that moment', () => {
  it.each([
    ['PATCH', 'OPERATOR', { name: 'Theirs' }],
    ['DELETE', 'MANAGER', undefined],
  ])('is refused: %s by one who became %s', async (method, role, body) => {
    await fixture.addMember(grace, 'OWNER', organization.id);
    const demote = `WITH held AS (SELECT id FROM organizations WHERE id = $1 FOR NO KEY UPDATE)
      UPDATE memberships SET role = $3::organization_role FROM held WHERE organization_id = held.id AND user_id = $2`;
    const answer = await during(demote, [organization.id, grace.id, role], () => change(grace, method, '', body));
    expect(answer.body).toMatchObject({ code: 'forbidden' });
  });
});

describe('The organizations of a person', () => {
  it('are at most as many as the setting says, also when they are made and joined at once', async () => {
    const host = await fixture.createAccount('host');
    const other = organization;
    organization = await fixture.createOrganization(host);
    await fixture.insertInvitation(organization.id, ada, { sender: host });
    const answers = await Promise.all([
      fixture.accept(ada),
      ...Array.from({ length: LIMIT + 1 }, () => fixture.request(ada, 'POST', '/organizations', { name: 'House' })),
    ]);
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused).toHaveLength(answers.length - (LIMIT - 1));
    expect(refused[0]?.body).toMatchObject({ code: 'too_many_organizations' });
    organization = other;
    expect((await change(ada, 'DELETE', '')).status).toBe(204);
    expect((await fixture.request(ada, 'POST', '/organizations', { name: 'House' })).status).toBe(201);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { OrganizationRole } from '../../src/contracts/resources.js';
import { OrganizationsFixture, type OrganizationBody, type PageBody } from '../support/organizations.fixture.js';
import { createAccount, type InsertedAccount, PASSWORD } from '../support/accounts.fixture.js';
import { request } from '../support/rest.js';

interface MemberBody {
  userId: string;
  role: OrganizationRole;
}

let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let grace: InsertedAccount;
let mallory: InsertedAccount;
let organization: OrganizationBody;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start({ ROLES: 'api' });
}, 60_000);

afterAll(() => fixture.stop());

beforeEach(async () => {
  [ada, grace, mallory] = [
    await fixture.createAccount('ada'),
    await fixture.createAccount('grace'),
    await fixture.createAccount('mallory'),
  ];
  organization = await fixture.createOrganization(ada);
});

const path = (rest = ''): string => `/organizations/${organization.id}${rest}`;
const member = async (name: string, role: OrganizationRole): Promise<InsertedAccount> =>
  fixture.addMember(await fixture.createAccount(name), role, organization.id);
const rolesOf = async (): Promise<Record<string, OrganizationRole>> =>
  Object.fromEntries(
    (
      await fixture.sql.rows<{ user_id: string; role: OrganizationRole }>(
        'SELECT user_id, role FROM memberships WHERE organization_id = $1',
        [organization.id],
      )
    ).map(({ user_id, role }) => [user_id, role]),
  );

describe('An organization', () => {
  it('belongs to who makes it, and is there once for one idempotency key', async () => {
    expect(organization).toMatchObject({ name: 'House', role: 'OWNER', version: 1 });
    const key = { 'idempotency-key': randomUUID() };
    const first = await fixture.request<OrganizationBody>(grace, 'POST', '/organizations', { name: 'Lab' }, key);
    const second = await fixture.request<OrganizationBody>(grace, 'POST', '/organizations', { name: 'Lab' }, key);
    expect(first.headers.get('location')).toBe(`/api/v1/organizations/${first.body.id}`);
    expect(second.body).toEqual(first.body);
    expect((await fixture.request<PageBody<OrganizationBody>>(grace, 'GET', '/organizations')).body.items).toHaveLength(
      1,
    );
  });

  it('is listed page by page, to its members only', async () => {
    const others = [await fixture.createOrganization(ada, 'Lab'), await fixture.createOrganization(ada, 'Boat')];
    const names = (await fixture.readAllPages<OrganizationBody>(ada, '/organizations?limit=2')).map(({ name }) => name);
    expect(names).toEqual(['House', 'Lab', 'Boat']);
    expect((await fixture.request(mallory, 'GET', '/organizations')).body).toEqual({ items: [], nextCursor: null });
    expect((await fixture.request(mallory, 'GET', `/organizations/${others[0]?.id ?? ''}`)).body).toMatchObject({
      code: 'not_found',
    });
    expect((await fixture.request(ada, 'GET', '/organizations?cursor=nonsense')).body).toMatchObject({
      code: 'invalid_cursor',
    });
  });

  it('is renamed in the version that If-Match names, and in no other', async () => {
    const seen = await fixture.request(ada, 'GET', path());
    expect(seen.headers.get('etag')).toMatch(/^"1-/);
    const renamed = await fixture.request(ada, 'PATCH', path(), { name: 'Home' }, { 'if-match': '"1"' });
    expect([renamed.status, renamed.headers.get('etag'), renamed.body.name]).toEqual([
      200,
      expect.stringMatching(/^"2-/),
      'Home',
    ]);
    const late = await fixture.request(ada, 'PATCH', path(), { name: 'Hut' }, { 'if-match': '"1"' });
    expect([late.status, late.body.code]).toEqual([412, 'organization_changed']);
    expect((await fixture.request(ada, 'DELETE', path(), undefined, { 'if-match': '"1"' })).status).toBe(412);
    expect((await fixture.request(ada, 'DELETE', path(), undefined, { 'if-match': '"2"' })).status).toBe(204);
    expect((await fixture.request(ada, 'GET', path())).status).toBe(404);
  });

  it('demands a role for each route, and is not found by users who are no members', async () => {
    const people = {
      viewer: await member('viewer', 'VIEWER'),
      operator: await member('operator', 'OPERATOR'),
      manager: await member('manager', 'MANAGER'),
      stranger: mallory,
    };
    const answers = async (method: string, rest: string, body?: unknown): Promise<number[]> => {
      const statuses: number[] = [];
      for (const who of Object.values(people)) {
        statuses.push((await fixture.request(who, method, path(rest), body)).status);
      }
      return statuses;
    };
    expect(await answers('GET', '')).toEqual([200, 200, 200, 404]);
    expect(await answers('GET', '/members')).toEqual([200, 200, 200, 404]);
    expect(await answers('GET', '/invitations')).toEqual([403, 403, 200, 404]);
    expect(await answers('PATCH', '', { name: 'Ours' })).toEqual([403, 403, 200, 404]);
    expect(await answers('DELETE', '')).toEqual([403, 403, 403, 404]);
    expect(await answers('POST', '/transfer', { userId: people.viewer.id })).toEqual([403, 403, 403, 404]);
  });
});

describe('Members', () => {
  it('are listed in the order in which they joined', async () => {
    const viewer = await member('viewer', 'VIEWER');
    const first = await fixture.request<PageBody<MemberBody>>(viewer, 'GET', path('/members?limit=1'));
    const second = await fixture.request<PageBody<MemberBody>>(
      viewer,
      'GET',
      path(`/members?cursor=${first.body.nextCursor ?? ''}`),
    );
    expect([...first.body.items, ...second.body.items].map(({ userId, role }) => [userId, role])).toEqual([
      [ada.id, 'OWNER'],
      [viewer.id, 'VIEWER'],
    ]);
    expect(second.body.nextCursor).toBeNull();
  });

  it('are moved by a manager between the roles below their own, and by an owner between all', async () => {
    const manager = await member('manager', 'MANAGER');
    const viewer = await member('viewer', 'VIEWER');
    const set = async (who: InsertedAccount, target: InsertedAccount, role: string): Promise<unknown[]> => {
      const { status, body } = await fixture.request(who, 'PATCH', path(`/members/${target.id}`), { role });
      return status === 200 ? [200, body.role] : [status, body.code];
    };
    expect(await set(manager, viewer, 'OPERATOR')).toEqual([200, 'OPERATOR']);
    expect(await set(manager, viewer, 'MANAGER')).toEqual([403, 'forbidden']);
    expect(await set(manager, manager, 'OWNER')).toEqual([403, 'forbidden']);
    expect(await set(manager, ada, 'VIEWER')).toEqual([403, 'forbidden']);
    expect(await set(manager, mallory, 'VIEWER')).toEqual([404, 'member_not_found']);
    expect(await set(ada, viewer, 'OWNER')).toEqual([200, 'OWNER']);
    expect(await set(ada, manager, 'GUEST')).toEqual([400, 'invalid_request']);
    expect((await fixture.request(ada, 'PATCH', path('/members/no-id'), { role: 'VIEWER' })).body.code).toBe(
      'member_not_found',
    );
  });

  it('never lose their last owner: not by demotion, removal or leaving', async () => {
    const manager = await member('manager', 'MANAGER');
    expect((await fixture.request(ada, 'PATCH', path(`/members/${ada.id}`), { role: 'MANAGER' })).body.code).toBe(
      'last_owner',
    );
    expect((await fixture.request(ada, 'DELETE', path(`/members/${ada.id}`))).body.code).toBe('last_owner');
    expect((await fixture.request(ada, 'POST', path('/leave'))).body.code).toBe('last_owner');
    expect(await rolesOf()).toEqual({ [ada.id]: 'OWNER', [manager.id]: 'MANAGER' });
    expect((await fixture.request(ada, 'POST', path('/transfer'), { userId: ada.id })).body.code).toBe(
      'transfer_to_self',
    );
    expect((await fixture.request(ada, 'POST', path('/transfer'), { userId: manager.id })).status).toBe(204);
    expect(await rolesOf()).toEqual({ [ada.id]: 'MANAGER', [manager.id]: 'OWNER' });
    expect((await fixture.request(ada, 'POST', path('/leave'))).status).toBe(204);
    expect((await fixture.request(ada, 'GET', path())).status).toBe(404);
  });

  it('never lose their last owner by the deletion of an account', async () => {
    const { url } = fixture.application;
    const owner = await createAccount(url);
    const made = await request<{ id: string }>(url, 'POST', '/api/v1/organizations', {
      token: owner.accessToken,
      body: { name: 'Lighthouse' },
    });
    const leave = (): Promise<{ status: number; body: { code?: string } }> =>
      request(url, 'DELETE', '/api/v1/users/me', { token: owner.accessToken, body: { password: PASSWORD } });
    expect((await leave()).body.code).toBe('last_owner');
    await fixture.addMember(grace, 'OWNER', made.body.id);
    expect((await leave()).status).toBe(204);
  });

  it.each([
    ['demote', 'PATCH', { role: 'VIEWER' }],
    ['remove', 'DELETE', undefined],
  ])('keep an owner when two owners %s each other at once', async (_what, method, body) => {
    await fixture.addMember(grace, 'OWNER', organization.id);
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all([
        fixture.request(ada, method, path(`/members/${grace.id}`), body),
        fixture.request(grace, method, path(`/members/${ada.id}`), body),
      ]);
      const succeeded = answers.filter(({ status }) => status < 300);
      expect(succeeded).toHaveLength(1);
      const owners = Object.values(await rolesOf()).filter((role) => role === 'OWNER');
      expect(owners).toEqual(['OWNER']);
      await fixture.sql.rows('DELETE FROM memberships WHERE organization_id = $1', [organization.id]);
      await fixture.addMember(ada, 'OWNER', organization.id);
      await fixture.addMember(grace, 'OWNER', organization.id);
    }
  });

  it('keep an owner when all owners leave at once', async () => {
    const owners = [ada, await member('b', 'OWNER'), await member('c', 'OWNER'), await member('d', 'OWNER')];
    const answers = await Promise.all(owners.map((owner) => fixture.request(owner, 'POST', path('/leave'))));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 204, 204, 409]);
    expect(Object.values(await rolesOf())).toEqual(['OWNER']);
  });
});

describe('What happens in an organization', () => {
  it('is audited, with who did it and what it was before', async () => {
    const viewer = await member('viewer', 'VIEWER');
    await fixture.request(ada, 'PATCH', path(`/members/${viewer.id}`), { role: 'OPERATOR' });
    await fixture.request(ada, 'DELETE', path(`/members/${viewer.id}`));
    await fixture.request(ada, 'DELETE', path());
    const entries = await fixture.sql.rows<{ action: string; actor: string }>(
      'SELECT action, actor, before, after FROM audit_entries WHERE entity_id = $1 ORDER BY id',
      [organization.id],
    );
    const by = { actor: `user:${ada.id}` };
    expect(entries).toMatchObject([
      { ...by, action: 'organization_created', after: { name: 'House', ownerId: ada.id } },
      {
        ...by,
        action: 'member_role_changed',
        before: { role: 'VIEWER' },
        after: { userId: viewer.id, role: 'OPERATOR' },
      },
      { ...by, action: 'member_removed', before: { userId: viewer.id, role: 'OPERATOR' }, after: null },
      { ...by, action: 'organization_deleted', before: { name: 'House' } },
    ]);
  });
});

/**
 * Organizations whose members' accounts cannot act: deleted and restored. Seen to fail: with members counted whose
 * account is deleted (the last owner leaves), and with batches that do not call the deletion hooks.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeviceAccessService } from '../../src/features/sharing/access/device-access.service.js';
import {
  OrganizationsFixture,
  type OrganizationBody,
  type PageBody,
  type AnswerOrProblem,
} from '../support/organizations.fixture.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';

let fixture: OrganizationsFixture;
let admin: InsertedAccount;
let ada: InsertedAccount;
let grace: InsertedAccount;
let organization: OrganizationBody;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start({ ROLES: 'api' });
  admin = await insertAccount(fixture.application, { name: 'admin', role: 'ADMIN' });
}, 60_000);

afterAll(() => fixture.stop());

beforeEach(async () => {
  [ada, grace] = [await fixture.createAccount('ada'), await fixture.createAccount('grace')];
  organization = await fixture.createOrganization(ada);
});

const path = (rest = ''): string => `/organizations/${organization.id}${rest}`;
const remove = (who: InsertedAccount): Promise<AnswerOrProblem> => fixture.request(admin, 'DELETE', `/users/${who.id}`);
const restore = (who: InsertedAccount): Promise<AnswerOrProblem> =>
  fixture.request(admin, 'POST', `/users/${who.id}/restore`);
const removeAll = (...people: InsertedAccount[]): Promise<AnswerOrProblem<{ results: { code: string | null }[] }>> =>
  fixture.request(admin, 'DELETE', '/users/bulk', { ids: people.map(({ id }) => id), mode: 'per_row' });
const members = async (): Promise<string[]> => {
  const { body } = await fixture.request<PageBody<{ userId: string; role: string }>>(ada, 'GET', path('/members'));
  return body.items.map(({ userId, role }) => `${role} ${userId}`);
};

describe('A member whose account is deleted', () => {
  it('is no member until it is restored, and then what they were', async () => {
    await fixture.addMember(grace, 'MANAGER', organization.id);
    expect((await remove(grace)).status).toBe(204);
    expect(await members()).toEqual([`OWNER ${ada.id}`]);
    for (const [method, rest, body] of [
      ['PATCH', `/members/${grace.id}`, { role: 'VIEWER' }],
      ['DELETE', `/members/${grace.id}`, undefined],
      ['POST', '/transfer', { userId: grace.id }],
    ] as const) {
      expect((await fixture.request(ada, method, path(rest), body)).body).toMatchObject({ code: 'member_not_found' });
    }
    expect((await restore(grace)).status).toBe(204);
    expect(await members()).toEqual([`OWNER ${ada.id}`, `MANAGER ${grace.id}`]);
  });

  it('has no permission for its devices, and keeps their own', async () => {
    const devices = fixture.application.get(DeviceAccessService);
    await fixture.addMember(grace, 'OPERATOR', organization.id);
    const [shared, own] = [(await fixture.registerDevice(ada)).id, (await fixture.registerDevice(grace)).id];
    await fixture.request(ada, 'PATCH', `/devices/${shared}`, { organizationId: organization.id });
    const permissions = (): Promise<unknown[]> =>
      Promise.all([shared, own].map(async (id) => (await devices.resolve(grace.id, id))?.permission ?? null));
    expect(await permissions()).toEqual(['control', 'admin']);
    await remove(grace);
    expect(await permissions()).toEqual([null, null]);
    await restore(grace);
    expect(await permissions()).toEqual(['control', 'admin']);
  });

  it('can be invited again, and is no member after a restore when the organization was deleted', async () => {
    await fixture.addMember(grace, 'VIEWER', organization.id);
    await remove(grace);
    const invited = await fixture.request(ada, 'POST', path('/invitations'), { email: grace.email, role: 'OPERATOR' });
    expect(invited.status).toBe(201);
    expect((await fixture.request(ada, 'DELETE', path())).status).toBe(204);
    await restore(grace);
    expect(await fixture.sql.rows('SELECT 1 FROM memberships WHERE user_id = $1', [grace.id])).toEqual([]);
  });
});

describe('An organization keeps an owner who can act', () => {
  it('although another one’s account is deleted', async () => {
    await fixture.addMember(grace, 'OWNER', organization.id);
    expect((await remove(grace)).status).toBe(204);
    for (const [method, rest, body] of [
      ['POST', '/leave', undefined],
      ['DELETE', `/members/${ada.id}`, undefined],
      ['PATCH', `/members/${ada.id}`, { role: 'VIEWER' }],
    ] as const) {
      expect((await fixture.request(ada, method, path(rest), body)).body).toMatchObject({
        code: 'last_owner',
        status: 409,
      });
    }
    expect((await remove(ada)).body).toMatchObject({ code: 'last_owner', status: 409 });
  });

  it('when accounts are deleted in a batch: sole owners are refused, and the others are deleted', async () => {
    await fixture.addMember(grace, 'OWNER', organization.id);
    const viewer = await fixture.addMember(await fixture.createAccount('viewer'), 'VIEWER', organization.id);
    const { body } = await removeAll(ada, viewer, grace);
    expect(body.results.map(({ code }) => code)).toEqual(['last_owner', null, 'last_owner']);
    expect((await removeAll(grace)).body.results).toMatchObject([{ code: null }]);
    expect((await removeAll(ada)).body.results).toMatchObject([{ code: 'last_owner' }]);
    expect(await members()).toEqual([`OWNER ${ada.id}`]);
  });

  it('when both its owners’ accounts are deleted at the same moment', async () => {
    await fixture.addMember(grace, 'OWNER', organization.id);
    const answers = await Promise.all([remove(ada), remove(grace)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
  });

  it('when one owner leaves while the other’s account is deleted', async () => {
    await fixture.addMember(grace, 'OWNER', organization.id);
    const answers = await Promise.all([remove(ada), fixture.request(grace, 'POST', path('/leave'))]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
  });
});

describe('An invitation', () => {
  it('ends with the account of who sent it, and does not come back with it', async () => {
    const manager = await fixture.addMember(await fixture.createAccount('manager'), 'MANAGER', organization.id);
    await fixture.insertInvitation(organization.id, grace, { sender: manager });
    await remove(manager);
    expect((await fixture.accept(grace)).body).toMatchObject({ code: 'invalid_invitation' });
    await restore(manager);
    expect((await fixture.accept(grace)).status).toBe(422);
  });
});

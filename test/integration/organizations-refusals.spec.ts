/** Requests about organizations that are wrong in themselves, and pages of what is long. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { OrganizationsFixture, type OrganizationBody } from '../support/organizations.fixture.js';

let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let organization: OrganizationBody;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start({ ROLES: 'api' });
  ada = await fixture.createAccount('ada');
  organization = await fixture.createOrganization(ada);
});

afterAll(() => fixture.stop());

describe('An organization', () => {
  const path = (rest: string): string => `/organizations/${organization.id}${rest}`;

  it.each([[7], [null], [{ address: 'a@example.com' }]])('invites no email such as %j', async (email) => {
    const { status } = await fixture.request(ada, 'POST', path('/invitations'), { email, role: 'VIEWER' });
    expect(status).toBe(400);
  });

  it('knows no invitation under a name that is no id', async () => {
    const { status, body } = await fixture.request(ada, 'DELETE', path('/invitations/not-an-id'));
    expect([status, body.code]).toEqual([404, 'invitation_not_found']);
  });

  it('lists its invitations in pages, each once', async () => {
    const emails = ['a', 'b', 'c'].map((name) => `${name}@example.com`);
    for (const email of emails) {
      expect((await fixture.request(ada, 'POST', path('/invitations'), { email, role: 'VIEWER' })).status).toBe(201);
    }
    const listed = await fixture.readAllPages<{ email: string }>(ada, path('/invitations?limit=2'));
    expect(listed.map(({ email }) => email).sort()).toEqual(emails);
  });
});

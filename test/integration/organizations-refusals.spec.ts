/** Requests about organizations that are wrong in themselves, and pages of what is long. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Neighbourhood, type OrganizationBody } from '../support/neighbourhood.js';
import type { Newcomer } from '../support/newcomers.js';

let town: Neighbourhood;
let ada: Newcomer;
let organization: OrganizationBody;

beforeAll(async () => {
  town = await Neighbourhood.open({ ROLES: 'api' });
  ada = await town.person('ada');
  organization = await town.found(ada);
});

afterAll(() => town.close());

describe('An organization', () => {
  const path = (rest: string): string => `/organizations/${organization.id}${rest}`;

  it.each([[7], [null], [{ address: 'a@example.com' }]])('invites no address such as %j', async (email) => {
    const { status } = await town.ask(ada, 'POST', path('/invitations'), { email, role: 'VIEWER' });
    expect(status).toBe(400);
  });

  it('knows no invitation under a name that is no id', async () => {
    const { status, body } = await town.ask(ada, 'DELETE', path('/invitations/not-an-id'));
    expect([status, body.code]).toEqual([404, 'invitation_not_found']);
  });

  it('lists its invitations in pages, each once', async () => {
    const addresses = ['a', 'b', 'c'].map((name) => `${name}@example.com`);
    for (const email of addresses) {
      expect((await town.ask(ada, 'POST', path('/invitations'), { email, role: 'VIEWER' })).status).toBe(201);
    }
    const listed = await town.walk<{ email: string }>(ada, path('/invitations?limit=2'));
    expect(listed.map(({ email }) => email).sort()).toEqual(addresses);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { OrganizationRole } from '../../src/contracts/resources.js';
import { Neighbourhood, type OrganizationBody, type PageBody, type Refusable } from '../support/neighbourhood.js';
import type { Newcomer } from '../support/newcomers.js';

let town: Neighbourhood;
let ada: Newcomer;
let grace: Newcomer;
let mallory: Newcomer;
let organization: OrganizationBody;

beforeAll(async () => {
  town = await Neighbourhood.open({ ROLES: 'api' });
}, 60_000);

afterAll(() => town.close());

beforeEach(async () => {
  [ada, grace, mallory] = [await town.person('ada'), await town.person('grace'), await town.person('mallory')];
  organization = await town.found(ada);
});

const path = (rest = ''): string => `/organizations/${organization.id}${rest}`;
const member = async (name: string, role: OrganizationRole): Promise<Newcomer> =>
  town.enlist(await town.person(name), role, organization.id);
describe('A device of an organization', () => {
  const device = (who: Newcomer, id: string): Promise<Refusable> => town.ask(who, 'GET', `/devices/${id}`);
  const place = (who: Newcomer, id: string, organizationId: string | null): Promise<Refusable> =>
    town.ask(who, 'PATCH', `/devices/${id}`, { organizationId });

  it('is put there by its owner alone, and only where they manage', async () => {
    const id = (await town.registered(grace)).id;
    expect((await place(grace, id, organization.id)).body).toMatchObject({ code: 'not_found' });
    await town.enlist(grace, 'OPERATOR', organization.id);
    expect((await place(grace, id, organization.id)).body).toMatchObject({ code: 'forbidden' });
    await town.sql.rows(`UPDATE memberships SET role = 'MANAGER' WHERE user_id = $1`, [grace.id]);
    expect((await place(grace, id, organization.id)).body).toMatchObject({
      organizationId: organization.id,
      version: 2,
    });
    // Ada owns the organization, not the device: she administers it, and it is not hers to give away.
    expect((await device(ada, id)).body).toMatchObject({ permission: 'admin', owned: false });
    expect((await place(ada, id, null)).body).toMatchObject({ code: 'forbidden' });
    expect((await town.ask(ada, 'DELETE', `/devices/${id}`)).status).toBe(403);
    expect((await place(grace, id, null)).body).toMatchObject({ organizationId: null });
    expect((await device(ada, id)).status).toBe(404);
  });

  it('is seen, used and administered by role, and lost with the membership', async () => {
    const id = (await town.registered(ada)).id;
    await place(ada, id, organization.id);
    const people = [
      await member('viewer', 'VIEWER'),
      await member('operator', 'OPERATOR'),
      await member('manager', 'MANAGER'),
      mallory,
    ];
    const answers: unknown[] = [];
    for (const who of people) {
      const command = await town.ask(
        who,
        'POST',
        `/devices/${id}/commands`,
        { name: 'lock_door', payload: {} },
        {
          'idempotency-key': randomUUID(),
        },
      );
      const renamed = await town.ask(who, 'PATCH', `/devices/${id}`, { room: 'Hall' });
      const seen = await device(who, id);
      answers.push([seen.body.permission ?? seen.status, command.status, renamed.status]);
    }
    expect(answers).toEqual([
      ['view', 403, 403],
      ['control', 202, 403],
      ['admin', 202, 200],
      [404, 404, 404],
    ]);
    expect((await town.ask(ada, 'DELETE', path(`/members/${people[1]?.id ?? ''}`))).status).toBe(204);
    expect((await device(people[1] ?? ada, id)).status).toBe(404);
  });

  it('leaves with its owner, who keeps it when the organization is deleted', async () => {
    await town.enlist(grace, 'MANAGER', organization.id);
    const [hers, his] = [(await town.registered(grace)).id, (await town.registered(ada)).id];
    await place(grace, hers, organization.id);
    await place(ada, his, organization.id);
    expect((await town.ask(grace, 'POST', path('/leave'))).status).toBe(204);
    expect((await device(ada, hers)).status).toBe(404);
    expect((await device(grace, hers)).body).toMatchObject({ owned: true, organizationId: null, version: 3 });
    expect((await device(ada, his)).body).toMatchObject({ organizationId: organization.id });
    expect((await town.ask(ada, 'DELETE', path())).status).toBe(204);
    expect((await device(ada, his)).body).toMatchObject({ owned: true, organizationId: null, version: 3 });
  });

  it('is in the list of every member, in every order, page by page, with their permission', async () => {
    const shared = [(await town.registered(ada)).id, (await town.registered(ada)).id];
    for (const id of shared) {
      await place(ada, id, organization.id);
    }
    const viewer = await member('viewer', 'VIEWER');
    const second = await town.found(grace, 'Lab');
    await town.enlist(viewer, 'OPERATOR', second.id);
    const hers = (await town.registered(grace)).id;
    await place(grace, hers, second.id);
    const own = (await town.registered(viewer)).id;
    const unseen = (await town.registered(ada)).id;
    interface Listed {
      id: string;
      permission: string;
      owned: boolean;
    }
    for (const sort of ['createdAt', '-createdAt', 'name', '-name']) {
      const listed = await town.walk<Listed>(viewer, `/devices?limit=1&sort=${sort}`);
      expect(listed.map(({ id }) => id).sort()).toEqual([...shared, hers, own].sort());
      const permissions = Object.fromEntries(listed.map(({ id, permission, owned }) => [id, [permission, owned]]));
      expect(permissions).toMatchObject({
        [own]: ['admin', true],
        [hers]: ['control', false],
        [shared[0] ?? '']: ['view', false],
      });
      expect(listed.some(({ id }) => id === unseen)).toBe(false);
    }
    const one = (await town.ask<PageBody<Listed>>(viewer, 'GET', '/devices?limit=1')).body.items[0];
    expect(one).toEqual((await device(viewer, one?.id ?? '')).body);
  });
});

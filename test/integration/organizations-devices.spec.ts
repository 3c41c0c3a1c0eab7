import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { COMMAND_NAMES } from '../../src/contracts/commands.js';
import type { OrganizationRole } from '../../src/contracts/resources.js';
import { DeviceChangeService } from '../../src/features/devices/device-change.service.js';
import {
  OrganizationsFixture,
  type OrganizationBody,
  type PageBody,
  type AnswerOrProblem,
} from '../support/organizations.fixture.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';

const REFUSALS = `SELECT code, entity_id FROM audit_entries
  WHERE actor = $1 AND action = 'command_created' AND outcome = 'failure'`;

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
describe('A device of an organization', () => {
  const device = (who: InsertedAccount, id: string): Promise<AnswerOrProblem> =>
    fixture.request(who, 'GET', `/devices/${id}`);
  const place = (who: InsertedAccount, id: string, organizationId: string | null): Promise<AnswerOrProblem> =>
    fixture.request(who, 'PATCH', `/devices/${id}`, { organizationId });
  const command = (who: InsertedAccount, id: string, body: object): Promise<AnswerOrProblem> =>
    fixture.request(who, 'POST', `/devices/${id}/commands`, body, { 'idempotency-key': randomUUID() });

  it('is put there by its owner alone, and only where they manage', async () => {
    const id = (await fixture.registerDevice(grace)).id;
    expect((await place(grace, id, organization.id)).body).toMatchObject({ code: 'not_found' });
    await fixture.addMember(grace, 'OPERATOR', organization.id);
    expect((await place(grace, id, organization.id)).body).toMatchObject({ code: 'forbidden' });
    await fixture.sql.rows(`UPDATE memberships SET role = 'MANAGER' WHERE user_id = $1`, [grace.id]);
    expect((await place(grace, id, organization.id)).body).toMatchObject({
      organizationId: organization.id,
      version: 2,
    });
    // Ada owns the organization, not the device: she administers it, and it is not hers to give away.
    expect((await device(ada, id)).body).toMatchObject({ permission: 'admin', owned: false });
    expect((await place(ada, id, null)).body).toMatchObject({ code: 'forbidden' });
    expect((await fixture.request(ada, 'DELETE', `/devices/${id}`)).status).toBe(403);
    expect((await place(grace, id, null)).body).toMatchObject({ organizationId: null });
    expect((await device(ada, id)).status).toBe(404);
  });

  it('is handed to nobody by an account whose password an administrator may know', async () => {
    const id = (await fixture.registerDevice(ada)).id;
    await fixture.addMember(grace, 'VIEWER', organization.id);
    const handOver: [string, string, object][] = [
      ['PATCH', `/devices/${id}`, { organizationId: organization.id }],
      ['POST', path('/invitations'), { email: mallory.email, role: 'OPERATOR' }],
      ['PATCH', path(`/members/${grace.id}`), { role: 'OPERATOR' }],
      ['POST', path('/transfer'), { userId: grace.id }],
    ];
    const tryAll = async (): Promise<unknown[]> => {
      const codes: unknown[] = [];
      for (const [method, url, body] of handOver) {
        const { status, body: answer } = await fixture.request(ada, method, url, body);
        codes.push((answer as { code?: string } | undefined)?.code ?? status);
      }
      return codes;
    };
    await fixture.sql.rows(`UPDATE users SET unlock_after = now() + interval '1 hour' WHERE id = $1`, [ada.id]);
    expect(await tryAll()).toEqual(Array(4).fill('unlock_restricted'));
    expect((await place(ada, id, null)).status).toBe(200);
    await fixture.sql.rows('UPDATE users SET unlock_after = now() WHERE id = $1', [ada.id]);
    expect(await tryAll()).toEqual([200, 201, 200, 204]);
  });

  it('is seen, used and administered by role, and lost with the membership', async () => {
    const id = (await fixture.registerDevice(ada)).id;
    await place(ada, id, organization.id);
    const people = [
      await member('viewer', 'VIEWER'),
      await member('operator', 'OPERATOR'),
      await member('manager', 'MANAGER'),
      mallory,
    ];
    const answers: unknown[] = [];
    for (const who of people) {
      const locked = await command(who, id, { name: 'lock_door', payload: {} });
      const renamed = await fixture.request(who, 'PATCH', `/devices/${id}`, { room: 'Hall' });
      const seen = await device(who, id);
      answers.push([seen.body.permission ?? seen.status, locked.status, renamed.status]);
    }
    expect(answers).toEqual([
      ['view', 403, 403],
      ['control', 202, 403],
      ['admin', 202, 200],
      [404, 404, 404],
    ]);
    expect((await fixture.request(ada, 'DELETE', path(`/members/${people[1]?.id ?? ''}`))).status).toBe(204);
    expect((await device(people[1] ?? ada, id)).status).toBe(404);
  });

  it('takes of an operator what moves it and pictures it, of those who administer it everything', async () => {
    const id = (await fixture.registerDevice(ada)).id;
    await place(ada, id, organization.id);
    const [operator, manager] = [await member('operator', 'OPERATOR'), await member('manager', 'MANAGER')];
    const update = {
      version: '2.4.1',
      url: 'https://example.com/f.bin',
      sha256: 'a'.repeat(64),
      signature: 'A'.repeat(86),
    };
    const answers: Record<string, unknown> = {};
    for (const name of COMMAND_NAMES.filter((each) => each !== 'unlock_door')) {
      const payload = name === 'firmware_update' ? update : {};
      answers[name] = [
        (await command(operator, id, { name, payload })).status,
        (await command(manager, id, { name, payload })).status,
      ];
    }
    expect(answers).toEqual({
      lock_door: [202, 202],
      request_snapshot: [202, 202],
      restart_device: [403, 202],
      firmware_update: [403, 202],
      sync_access_codes: [403, 202],
    });
    expect(await fixture.sql.rows(REFUSALS, [`user:${operator.id}`])).toEqual(
      Array.from({ length: 3 }, () => ({ code: 'forbidden', entity_id: id })),
    );
  });

  it('lets operators take back what they ordered, and those who administer it what anyone did', async () => {
    const id = (await fixture.registerDevice(ada)).id;
    await place(ada, id, organization.id);
    const [operator, manager] = [await member('operator', 'OPERATOR'), await member('manager', 'MANAGER')];
    const ordered = async (who: InsertedAccount): Promise<string> =>
      `/devices/${id}/commands/${String((await command(who, id, { name: 'lock_door' })).body.id)}`;
    const [hers, own, another] = [await ordered(ada), await ordered(operator), await ordered(operator)];
    expect((await fixture.request(operator, 'DELETE', hers)).body).toMatchObject({ code: 'forbidden', status: 403 });
    expect((await fixture.request(operator, 'DELETE', own)).body).toMatchObject({ state: 'CANCELLED' });
    expect((await fixture.request(manager, 'DELETE', another)).body).toMatchObject({ state: 'CANCELLED' });
    expect((await fixture.request(manager, 'DELETE', hers)).body).toMatchObject({ state: 'CANCELLED' });
  });

  it('keeps what others ordered from one who stopped administering it a moment ago', async () => {
    const id = (await fixture.registerDevice(ada)).id;
    await place(ada, id, organization.id);
    const manager = await member('manager', 'MANAGER');
    const order = (await command(ada, id, { name: 'lock_door' })).body.id;
    const changes = fixture.application.get(DeviceChangeService);
    const begin = changes.begin.bind(changes);
    const demoted = jest.spyOn(changes, 'begin').mockImplementationOnce(async (...asked) => {
      await fixture.sql.rows(`UPDATE memberships SET role = 'OPERATOR' WHERE user_id = $1`, [manager.id]);
      return begin(...asked);
    });
    const refused = await fixture.request(manager, 'DELETE', `/devices/${id}/commands/${String(order)}`);
    expect([refused.body.code, demoted.mock.calls.length]).toEqual(['forbidden', 1]);
    demoted.mockRestore();
  });

  it('leaves with its owner, who keeps it when the organization is deleted', async () => {
    await fixture.addMember(grace, 'MANAGER', organization.id);
    const [hers, his] = [(await fixture.registerDevice(grace)).id, (await fixture.registerDevice(ada)).id];
    await place(grace, hers, organization.id);
    await place(ada, his, organization.id);
    expect((await fixture.request(grace, 'POST', path('/leave'))).status).toBe(204);
    expect((await device(ada, hers)).status).toBe(404);
    expect((await device(grace, hers)).body).toMatchObject({ owned: true, organizationId: null, version: 3 });
    expect((await device(ada, his)).body).toMatchObject({ organizationId: organization.id });
    expect((await fixture.request(ada, 'DELETE', path())).status).toBe(204);
    expect((await device(ada, his)).body).toMatchObject({ owned: true, organizationId: null, version: 3 });
  });

  it('is in the list of every member, in every order, page by page, with their permission', async () => {
    const shared = [(await fixture.registerDevice(ada)).id, (await fixture.registerDevice(ada)).id];
    for (const id of shared) {
      await place(ada, id, organization.id);
    }
    const viewer = await member('viewer', 'VIEWER');
    const second = await fixture.createOrganization(grace, 'Lab');
    await fixture.addMember(viewer, 'OPERATOR', second.id);
    const hers = (await fixture.registerDevice(grace)).id;
    await place(grace, hers, second.id);
    const own = (await fixture.registerDevice(viewer)).id;
    const unseen = (await fixture.registerDevice(ada)).id;
    interface Listed {
      id: string;
      permission: string;
      owned: boolean;
    }
    for (const sort of ['createdAt', '-createdAt', 'name', '-name']) {
      const listed = await fixture.readAllPages<Listed>(viewer, `/devices?limit=1&sort=${sort}`);
      expect(listed.map(({ id }) => id).sort()).toEqual([...shared, hers, own].sort());
      const permissions = Object.fromEntries(listed.map(({ id, permission, owned }) => [id, [permission, owned]]));
      expect(permissions).toMatchObject({
        [own]: ['admin', true],
        [hers]: ['control', false],
        [shared[0] ?? '']: ['view', false],
      });
      expect(listed.some(({ id }) => id === unseen)).toBe(false);
    }
    const one = (await fixture.request<PageBody<Listed>>(viewer, 'GET', '/devices?limit=1')).body.items[0];
    expect(one).toEqual((await device(viewer, one?.id ?? '')).body);
  });
});

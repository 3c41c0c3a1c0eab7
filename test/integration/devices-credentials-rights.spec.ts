/** Who may make the codes and tokens of a device, and look at them: those whose right is their own, for as long as they have it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { request } from '../support/rest.js';
import { SharingFixture } from '../support/sharing.fixture.js';

const BODIES: Readonly<Record<string, object>> = { '/token/rotate': {}, '/transfer': { email: 'heir@example.com' } };

let fixture: SharingFixture;
let ada: InsertedAccount;
let grace: InsertedAccount;
let guest: InsertedAccount;

beforeAll(async () => {
  fixture = await SharingFixture.start();
  [ada, grace, guest] = await Promise.all([
    fixture.createAccount('ada'),
    fixture.createAccount('grace'),
    fixture.createAccount('guest'),
  ]);
}, 60_000);

afterAll(() => fixture.stop());

describe('The credentials of a device', () => {
  const issues = [
    ['POST', '/activation-code'],
    ['GET', '/qr'],
    ['POST', '/token/rotate'],
  ] as const;
  const answer = (who: InsertedAccount, id: string, [method, rest]: readonly [string, string]) =>
    fixture.request<{ code?: string; detail?: string; required?: string }>(
      who,
      method,
      `/devices/${id}${rest}`,
      BODIES[rest],
    );
  const ask = async (...request: Parameters<typeof answer>): Promise<unknown> => {
    const { status, body } = await answer(...request);
    return status < 300 ? status : body.code;
  };

  it('are for those whose right is their own, and not for a guest who administers it', async () => {
    const { id } = await registerDevice(fixture.application.url, ada);
    await fixture.share(ada, id, guest, { permission: 'admin' });
    expect((await fixture.request(guest, 'PATCH', `/devices/${id}`, { room: 'Hall' })).status).toBe(200);
    await fixture.request(ada, 'POST', `/devices/${id}/activation-code`);
    for (const route of [...issues, ['POST', '/token/revoke'] as const]) {
      const { status, body } = await answer(guest, id, route);
      expect([route, status, body.required]).toEqual([route, 403, 'device:manager']);
      expect(body.detail).toContain('the owner of the device and the managers of its organization');
    }
    const manager = await fixture.createAccount('manager');
    const home = (await fixture.createOrganization(ada)).id;
    await fixture.addMember(manager, 'MANAGER', home);
    await fixture.request(ada, 'PATCH', `/devices/${id}`, { organizationId: home });
    const made = await fixture.request<{ activation: { code: string } }>(
      manager,
      'POST',
      `/devices/${id}/activation-code`,
    );
    expect(made.status).toBe(200);
    expect((await fixture.request(manager, 'POST', `/devices/${id}/token/rotate`, {})).status).toBe(200);
    // The code ends with the membership of who may have made it.
    expect((await fixture.request(ada, 'DELETE', `/organizations/${home}/members/${manager.id}`)).status).toBe(204);
    const body = { deviceId: id, code: made.body.activation.code };
    expect((await request(fixture.application.url, 'POST', '/api/v1/devices/activate', { body })).status).toBe(422);
  });

  it.each([
    ['administers the device by a share alone', `UPDATE memberships SET role = 'VIEWER' WHERE user_id = $1`],
    ['is blocked', 'UPDATE users SET blocked_at = now() WHERE id = $1'],
    ['is the owner and blocked', 'UPDATE users SET blocked_at = now() WHERE id = $1'],
    ['may open no door for a day', `UPDATE users SET unlock_after = now() + interval '1 hour' WHERE id = $1`],
  ])('activate nothing and are shown to no one, once their maker %s', async (what, end) => {
    const [owner, other] = [await fixture.createAccount('owner'), await fixture.createAccount('other')];
    const [organization, { id }] = [
      await fixture.createOrganization(owner),
      await registerDevice(fixture.application.url, owner),
    ];
    await fixture.addMember(other, 'MANAGER', organization.id);
    await fixture.request(owner, 'PATCH', `/devices/${id}`, { organizationId: organization.id });
    await fixture.share(owner, id, other, { permission: 'admin' });
    const [maker, reader] = what.includes('owner') ? [owner, other] : [other, owner];
    const path = `/devices/${id}/activation-code`;
    const { body: made } = await fixture.request<{ activation: { code: string } }>(maker, 'POST', path);
    expect(await ask(reader, id, ['GET', '/qr'])).toBe(200);
    await fixture.sql.rows(end, [maker.id]);
    expect(await ask(reader, id, ['GET', '/qr'])).toBe('activation_code_not_found');
    const body = { deviceId: id, code: made.activation.code };
    expect((await request(fixture.application.url, 'POST', '/api/v1/devices/activate', { body })).status).toBe(422);
  });

  it('are given to no account whose password an administrator may know, nor is the device', async () => {
    const owner = await fixture.createAccount('owner');
    const { id } = await registerDevice(fixture.application.url, owner);
    const token = 'A'.repeat(43);
    expect(await ask(owner, id, ['POST', '/transfer'])).toBe(201);
    await fixture.sql.rows(
      `UPDATE device_transfers SET email = $2, token_hash = sha256($3::bytea) WHERE device_id = $1`,
      [id, grace.email, token],
    );
    await fixture.sql.rows(`UPDATE users SET unlock_after = now() + interval '1 hour' WHERE id = $1`, [owner.id]);
    for (const route of [...issues, ['POST', '/factory-reset'] as const]) {
      expect([route, await ask(owner, id, route)]).toEqual([route, 'unlock_restricted']);
    }
    const accept = () => fixture.request(grace, 'POST', '/devices/transfers/accept', { token });
    expect((await accept()).body.code).toBe('invalid_transfer');
    expect(await ask(owner, id, ['POST', '/token/revoke'])).toBe(204);
    await fixture.sql.rows('UPDATE users SET unlock_after = NULL WHERE id = $1', [owner.id]);
    expect((await accept()).status).toBe(200);
  });
});

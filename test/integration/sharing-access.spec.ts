/** What is shown of shares: in the list, to those who have admin, and to a person who asks what another can do. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { type ShareBody, SharingFixture } from '../support/sharing.fixture.js';

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

async function give(who: InsertedAccount, to: InsertedAccount, terms: Record<string, unknown> = {}): Promise<void> {
  expect((await fixture.share(who, door, to, terms)).status).toBe(201);
}
const tomorrow = (): string => new Date(Date.now() + 86_400_000).toISOString();

describe('Who can do what', () => {
  it('is told to those who have admin', async () => {
    await give(ada, grace);
    const { status, body } = await fixture.request(ada, 'GET', `/devices/${door}/access`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      owner: { id: ada.id },
      organization: null,
      shares: [{ email: grace.email, permission: 'control' }],
    });
    expect((await fixture.request(grace, 'GET', `/devices/${door}/access`)).status).toBe(403);
    expect((await fixture.request(guest, 'GET', `/devices/${door}/access`)).status).toBe(404);
  });

  it('is tried without doing it, for any time, with the reason', async () => {
    const until = tomorrow();
    await give(ada, grace, { until });
    const check = (who: InsertedAccount, body: object) =>
      fixture.request<{ allowed: boolean; why: string; sources: object[] }>(
        who,
        'POST',
        `/devices/${door}/access-check`,
        body,
      );
    expect((await check(grace, { needs: 'control' })).body).toMatchObject({ allowed: true, nextChangeAt: until });
    expect((await check(grace, { needs: 'admin' })).body).toMatchObject({ allowed: false });
    expect((await check(ada, { needs: 'manager' })).body.allowed).toBe(true);
    expect((await check(grace, { needs: 'view', userId: ada.id })).body.code).toBe('forbidden');
    const later = await check(ada, { needs: 'control', email: grace.email, at: until });
    expect(later.body).toMatchObject({
      allowed: false,
      permission: null,
      sources: [{ source: 'share', state: 'over' }],
    });
    expect(later.body.why).toContain('is over');
    expect((await check(ada, { needs: 'owner' })).body.allowed).toBe(true);
    const stranger = await check(ada, { needs: 'view', email: guest.email });
    const unknown = await check(ada, { needs: 'view', email: 'nobody-here@example.com' });
    expect({ ...stranger.body, at: '' }).toEqual({ ...unknown.body, at: '' });
    expect((await check(guest, { needs: 'view' })).status).toBe(404);
  });
});

describe('In the list', () => {
  it('a device that is shared and in my organization comes once, with the greater permission', async () => {
    const organization = await fixture.createOrganization(ada);
    await fixture.request(ada, 'PATCH', `/devices/${door}`, { organizationId: organization.id });
    await fixture.addMember(grace, 'VIEWER', organization.id);
    expect(await fixture.devicesOf(grace)).toMatchObject([{ id: door, permission: 'view' }]);
    await give(ada, grace, { permission: 'admin' });
    expect(await fixture.devicesOf(grace)).toMatchObject([{ id: door, permission: 'admin', owned: false }]);
  });
});

describe('What is shown of a share', () => {
  it('does not change when its invitation is accepted, and tells no account', async () => {
    const email = `later-${door}@example.com`;
    const { body: given } = await fixture.share(ada, door, { email });
    const check = () => fixture.request(ada, 'POST', `/devices/${door}/access-check`, { needs: 'view', email });
    const before = await check();
    const later = await fixture.createAccountAt(email);
    const token = fixture.mailed.get(email);
    expect({ ...(await check()).body, at: '' }).toEqual({ ...before.body, at: '' });
    expect((await fixture.request(later, 'POST', '/shares/accept', { token })).status).toBe(204);
    const after = await fixture.request<ShareBody>(ada, 'GET', `/devices/${door}/shares/${given.id}`);
    expect({ ...after.body, nextOpening: null }).toEqual({ ...given, nextOpening: null });
    expect({ ...(await check()).body, at: '' }).toEqual({ ...before.body, at: '' });
  });

  it('tells no account by the ids of its events', async () => {
    const steps = async (to: Pick<InsertedAccount, 'email'>): Promise<bigint[]> => {
      const { id: deviceId } = await fixture.registerDevice(ada);
      const path = `/devices/${deviceId}/shares/${(await fixture.share(ada, deviceId, to)).body.id}`;
      await fixture.request(ada, 'PATCH', path, { suspended: true });
      await fixture.request(ada, 'POST', `${path}/invitation`);
      await fixture.request(ada, 'DELETE', path);
      await fixture.request(ada, 'PATCH', `/devices/${deviceId}`, { room: 'Hall' });
      const { body } = await fixture.request<{ items: { id: string }[] }>(ada, 'GET', `/devices/${deviceId}/events`);
      const ids = body.items.map(({ id }) => BigInt(id));
      return ids.slice(1).map((id, index) => id - ids[index]!);
    };
    const known = await steps(grace);
    expect(known).toHaveLength(4);
    expect(await steps({ email: `nobody-${door}@example.com` })).toEqual(known);
  });
});

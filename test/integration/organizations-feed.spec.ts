import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Dashboard } from '../support/dashboard.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import { ScriptedDevice } from '../support/scripted-device.js';

let fixture: OrganizationsFixture;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start();
}, 60_000);

afterAll(() => fixture.stop());

describe('The live feed of a device of an organization', () => {
  it('reaches its members while they are members, and no other user', async () => {
    const [ada, grace, mallory] = [
      await fixture.createAccount('ada'),
      await fixture.createAccount('grace'),
      await fixture.createAccount('mallory'),
    ];
    const { id: organizationId } = await fixture.createOrganization(ada);
    await fixture.addMember(grace, 'VIEWER', organizationId);
    const device = await fixture.registerDevice(ada);
    await fixture.request(ada, 'PATCH', `/devices/${device.id}`, { organizationId });
    const line = await ScriptedDevice.born(fixture.application.mqttUrl, device, 'boot-of-hers');
    const [hers, member, stranger] = await Promise.all(
      [ada, grace, mallory].map((who) => Dashboard.signedIn(fixture.application.url, who.accessToken)),
    );
    expect(await member!.request('subscribe_device', { deviceId: device.id })).toEqual({ ok: true });
    expect(await stranger!.request('subscribe_device', { deviceId: device.id })).toMatchObject({
      error: { status: 404 },
    });

    const motion = (seq: number) => ({
      seq,
      boot: 'boot-of-hers',
      type: 'motion_detected' as const,
      data: { zone: `zone-${String(seq)}` },
    });
    const isOf = (seq: number) => (received: { message: unknown }) =>
      JSON.stringify(received.message).includes(`zone-${String(seq)}`);
    await line.publish('events', motion(1));
    await member!.expect('motion while a member', isOf(1));

    expect((await fixture.request(ada, 'DELETE', `/organizations/${organizationId}/members/${grace.id}`)).status).toBe(
      204,
    );
    await line.publish('events', motion(2));
    await hers!.expect('motion after she left', isOf(2));
    expect(member!.received.filter(isOf(2))).toEqual([]);
    expect(stranger!.received).toEqual([]);

    [hers, member, stranger].forEach((dashboard) => dashboard?.close());
    await line.end();
  });
});

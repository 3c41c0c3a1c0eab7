import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Dashboard } from '../support/dashboard.js';
import { Neighbourhood } from '../support/neighbourhood.js';
import { RawDevice } from '../support/raw-device.js';

let town: Neighbourhood;

beforeAll(async () => {
  town = await Neighbourhood.open();
}, 60_000);

afterAll(() => town.close());

describe('The live feed of a device of an organization', () => {
  it('reaches its members while they are members, and no other user', async () => {
    const [ada, grace, mallory] = [await town.person('ada'), await town.person('grace'), await town.person('mallory')];
    const { id: organizationId } = await town.found(ada);
    await town.enlist(grace, 'VIEWER', organizationId);
    const device = await town.registered(ada);
    await town.ask(ada, 'PATCH', `/devices/${device.id}`, { organizationId });
    const line = await RawDevice.born(town.application.mqttUrl, device, 'boot-of-hers');
    const [hers, member, stranger] = await Promise.all(
      [ada, grace, mallory].map((who) => Dashboard.signedIn(town.application.url, who.accessToken)),
    );
    expect(await member!.ask('subscribe_device', { deviceId: device.id })).toEqual({ ok: true });
    expect(await stranger!.ask('subscribe_device', { deviceId: device.id })).toMatchObject({ error: { status: 404 } });

    const motion = (seq: number) => ({
      seq,
      boot: 'boot-of-hers',
      type: 'motion_detected' as const,
      data: { zone: `zone-${String(seq)}` },
    });
    const isOf = (seq: number) => (heard: { message: unknown }) =>
      JSON.stringify(heard.message).includes(`zone-${String(seq)}`);
    await line.publish('events', motion(1));
    await member!.expect('motion while a member', isOf(1));

    expect((await town.ask(ada, 'DELETE', `/organizations/${organizationId}/members/${grace.id}`)).status).toBe(204);
    await line.publish('events', motion(2));
    await hers!.expect('motion after she left', isOf(2));
    expect(member!.heard.filter(isOf(2))).toEqual([]);
    expect(stranger!.heard).toEqual([]);

    [hers, member, stranger].forEach((dashboard) => dashboard?.close());
    await line.end();
  });
});

/** P-07 for dashboards. Seen to fail: without the check in `subscribe_device`. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DeviceEventMessage } from '../../src/contracts/mqtt.js';
import { Dashboard } from '../support/dashboard.js';
import { createTwoTenants, type TwoTenants } from '../support/two-tenants.js';

const CANARY = `canary-${randomUUID().slice(0, 8)}`;

describe('P-07: two tenants on sockets', () => {
  let tenants: TwoTenants;

  beforeAll(async () => {
    tenants = await createTwoTenants(CANARY);
  }, 60_000);

  afterAll(() => tenants.stop());

  it('refuses to subscribe to a foreign device, and lets none of its events through', async () => {
    const { application, ada, mallory, hers, his, line } = tenants;
    const herDashboard = await Dashboard.signedIn(application.url, ada.accessToken);
    const hisDashboard = await Dashboard.signedIn(application.url, mallory.accessToken);
    for (const deviceId of [hers.id, hers.id.toUpperCase()]) {
      expect(await hisDashboard.request('subscribe_device', { deviceId })).toMatchObject({ error: { status: 404 } });
    }
    expect(await hisDashboard.request('subscribe_device', { deviceId: his.id })).toEqual({ ok: true });

    const motion = (boot: string, zone: string): DeviceEventMessage => ({
      seq: 1,
      boot,
      type: 'motion_detected',
      data: { zone },
    });
    await line.hers.publish('events', motion('boot-of-hers', CANARY));
    const seen = await herDashboard.expect('her own motion', ({ event }) => event === 'motion_detected');
    await line.his.publish('events', motion('boot-of-his', 'yard'));
    await hisDashboard.expect('his own motion', ({ event }) => event === 'motion_detected');
    expect(hisDashboard.received.filter(({ message }) => message.deviceId !== his.id)).toEqual([]);

    // Nor does her cursor open her past: he hears what came after it, of his own.
    const returned = await Dashboard.signedIn(application.url, mallory.accessToken, seen.message.cursor);
    await returned.expect('his own motion', ({ event }) => event === 'motion_detected');
    expect(returned.received.filter(({ message }) => message.deviceId !== his.id)).toEqual([]);
    expect(JSON.stringify([hisDashboard.received, returned.received])).not.toContain(CANARY);
    // Nor does a guest whose share ended hear of the device, now or from the time of the share.
    const guest = await Dashboard.signedIn(application.url, tenants.formerGuest.accessToken, seen.message.cursor);
    expect(await guest.request('subscribe_device', { deviceId: hers.id })).toMatchObject({ error: { status: 404 } });
    await line.hers.publish('events', { ...motion('boot-of-hers', `${CANARY} again`), seq: 2 });
    await herDashboard.expect('her next motion', ({ message }) => JSON.stringify(message).includes('again'));
    expect(guest.received).toEqual([]);
    guest.close();
    [herDashboard, hisDashboard, returned].forEach((dashboard) => {
      dashboard.close();
    });
  });
});

/**
 * Who may see an event is decided when it is sent, not when its dashboard connected or subscribed. Seen to fail: with a
 * `maySee` that always agrees, and with answers that are cached for ever.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Dashboard, type Heard } from '../support/dashboard.js';
import { Neighbourhood, type OrganizationBody } from '../support/neighbourhood.js';
import type { Newcomer } from '../support/newcomers.js';
import { RawDevice } from '../support/raw-device.js';
import { eventually } from '../support/wait.js';

let town: Neighbourhood;
let ada: Newcomer;
let grace: Newcomer;
let organization: OrganizationBody;
let shared: { id: string; token: string };
let own: { id: string; token: string };
let lines: { shared: RawDevice; own: RawDevice };
let dashboard: Dashboard;
let seq: number;

beforeAll(async () => {
  town = await Neighbourhood.open();
}, 60_000);

afterAll(() => town.close());

/** Grace subscribes to a device of Ada's, who shares an organization with her, and owns another device. */
beforeEach(async () => {
  [ada, grace] = [await town.person('ada'), await town.person('grace')];
  organization = await town.found(ada);
  await town.enlist(grace, 'VIEWER', organization.id);
  [shared, own] = [await town.registered(ada), await town.registered(grace)];
  await town.ask(ada, 'PATCH', `/devices/${shared.id}`, { organizationId: organization.id });
  const { mqttUrl, url } = town.application;
  lines = {
    shared: await RawDevice.born(mqttUrl, shared, 'boot-shared'),
    own: await RawDevice.born(mqttUrl, own, 'boot-own'),
  };
  dashboard = await Dashboard.signedIn(url, grace.accessToken);
  expect(await dashboard.ask('subscribe_device', { deviceId: shared.id })).toEqual({ ok: true });
  seq = 0;
});

afterEach(async () => {
  dashboard.close();
  await lines.shared.end();
  await lines.own.end();
});

const zoneOf = ({ message }: Heard): unknown => (message.payload as { zone?: string }).zone;

/** Both devices publish a motion, her own last: once she has that event, she has every event of the other she will get. */
async function hearsOfTheShared(): Promise<boolean> {
  seq += 1;
  const [first, last] = [`shared ${String(seq)}`, `own ${String(seq)}`];
  const motion = (boot: string, zone: string) => ({ seq, boot, type: 'motion_detected' as const, data: { zone } });
  await lines.shared.publish('events', motion('boot-shared', first));
  await eventually('the first is in the log', async () => {
    const rows = await town.sql.rows(`SELECT 1 FROM events WHERE device_id = $1 AND payload->>'zone' = $2`, [
      shared.id,
      first,
    ]);
    return rows.length === 1;
  });
  await lines.own.publish('events', motion('boot-own', last));
  await dashboard.expect('motion before her own device', (heard) => zoneOf(heard) === last);
  return dashboard.heard.some((heard) => zoneOf(heard) === first);
}

describe('A dashboard that subscribed to a device', () => {
  it('soon gets no events of it after access ended, although the signal of that was lost', async () => {
    expect(await hearsOfTheShared()).toBe(true);
    await town.sql.rows('DELETE FROM memberships WHERE user_id = $1', [grace.id]);
    await eventually('she gets no event of it', async () => !(await hearsOfTheShared()), 4_000);
    await town.enlist(grace, 'VIEWER', organization.id);
    // A socket that left the room has to subscribe again.
    expect(await hearsOfTheShared()).toBe(false);
  });

  it('gets events while its user may see the device, also after the cached answer has expired', async () => {
    const began = performance.now();
    await eventually('the first answer is no longer cached', async () => {
      expect(await hearsOfTheShared()).toBe(true);
      return performance.now() - began > 2_000;
    });
  });
});

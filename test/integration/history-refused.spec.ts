/** What docs/protocol.md requires of firmware whose event is refused. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeviceEventMessage } from '../../src/contracts/mqtt.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { eventually } from '../support/wait.js';

const BOOT = 'boot-refused';

let fixture: OrganizationsFixture;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start();
}, 60_000);

afterAll(() => fixture.stop());

describe('An invalid event', () => {
  it('is refused with its whole message, differs from a lost connection by a repeat, and can be replaced under its number', async () => {
    const { application, sql } = fixture;
    const device = await fixture.registerDevice(await fixture.createAccount('ada'));
    const line = await ScriptedDevice.born(application.mqttUrl, device, BOOT);
    const custom = (seq: number): DeviceEventMessage => ({ boot: BOOT, seq, type: 'custom', data: { seq } });
    const invalid: DeviceEventMessage = { boot: BOOT, seq: 2, type: 'custom', data: { card: 2 ** 53 } };
    const received = (seq: number): number => line.receipts().filter((receipt) => receipt.seq === seq).length;

    await line.publish('events', custom(1));
    await line.receipt(BOOT, 1);
    await line.publish('events', [invalid, custom(3)]);
    await line.publish('events', invalid);
    expect(received(1)).toBe(1);

    await line.publish('events', { ...custom(1), data: {} });
    await eventually('the repeat is answered', () => received(1) === 2);
    expect(line.receipts().map(({ seq }) => seq)).toEqual([1, 1]);

    const replacement = { ...invalid, type: 'error_occurred', data: { errorCode: 'event_refused' } } as const;
    await line.publish('events', [replacement, custom(3)]);
    await line.receipt(BOOT, 3);
    const rows = await sql.rows<{ type: string }>(
      `SELECT type FROM events WHERE device_id = $1 AND type IN ('custom', 'error_occurred') ORDER BY xid, id`,
      [device.id],
    );
    expect(rows.map(({ type }) => type)).toEqual(['custom', 'error_occurred', 'custom']);
    await line.end();
  });
});

import type { AckStatus } from '../../src/contracts/commands.js';
import type { Account } from './accounts.fixture.js';
import type { Dashboard } from './dashboard.js';
import { registerDevice, type RegisteredDevice, sendCommand } from './devices.fixture.js';
import { type Answer, request } from './rest.js';
import { ScriptedDevice } from './scripted-device.js';
import type { TestApp } from './test-app.js';

const BOOT = 'boot-of-a-life';

/** Lets a device live from its registration to its deletion, so that `dashboard` hears most of what there is to hear. */
export async function liveOnce(application: TestApp, owner: Account, dashboard: Dashboard): Promise<void> {
  const { url, mqttUrl } = application;
  const device = await registerDevice(url, owner);
  const hears = (type: string): Promise<unknown> =>
    dashboard.expect(type, ({ message }) => message.type === type && message.deviceId === device.id);
  const line = await ScriptedDevice.born(mqttUrl, device, BOOT);
  await hears('status_changed');
  await reportEverything(line);
  await hears('error_occurred');
  await executeAndFail(application, owner, device, line);
  await hears('command_failed');
  await line.publish('status', { online: false, boot: BOOT }, { retain: true });
  await line.end();
  await hears('device_disconnected');
  const { body } = await sendCommand(url, owner, device.id, { name: 'lock_door' });
  const ask: Ask = (method, path, change) =>
    request(url, method, `/api/v1/devices/${device.id}${path}`, { token: owner.accessToken, body: change });
  await ask('DELETE', `/commands/${body.id}`);
  await ask('PATCH', '', { name: 'Back door' });
  await lend(ask, owner);
  const code = await ask<{ activation: { code: string } }>('POST', '/activation-code');
  const activation = { deviceId: device.id, code: code.body.activation.code };
  await request(url, 'POST', '/api/v1/devices/activate', { body: activation });
  await ask('DELETE', '');
  await hears('device_deleted');
}

type Ask = <T = Record<string, unknown>>(method: string, path: string, change?: object) => Promise<Answer<T>>;

/** Shares the device with another address, and ends that again. */
async function lend(ask: Ask, { email }: Account): Promise<void> {
  const { body } = await ask<{ id: string }>('POST', '/shares', { email: `guest-of-${email}`, permission: 'view' });
  await ask('PATCH', `/shares/${body.id}`, { permission: 'control' });
  await ask('DELETE', `/shares/${body.id}`);
}

async function reportEverything(line: ScriptedDevice): Promise<void> {
  const events = [
    { type: 'door_status_changed', data: { lockState: 'unlocked', doorState: 'open', cause: 'manual' } },
    { type: 'motion_detected', data: { confidence: 0.7, zone: 'porch' } },
    { type: 'snapshot_captured', data: { reference: 'pictures/1', quality: 'high' } },
    { type: 'low_battery', data: { battery: 7 } },
    { type: 'settings_updated', data: { version: 0, settings: { custom: { led: true } } } },
    { type: 'error_occurred', data: { errorCode: 'motor_stalled', errorMessage: 'The bolt does not move.' } },
  ] as const;
  await line.publish(
    'events',
    events.map((event, index) => ({ ...event, seq: index + 1, boot: BOOT })),
  );
}

async function executeAndFail(
  { url }: TestApp,
  owner: Account,
  device: RegisteredDevice,
  line: ScriptedDevice,
): Promise<void> {
  const lives: readonly (readonly AckStatus[])[] = [
    ['received', 'executing', 'executed'],
    ['received', 'failed'],
  ];
  for (const [index, statuses] of lives.entries()) {
    await sendCommand(url, owner, device.id, { name: 'unlock_door', payload: { durationMs: 5_000 } });
    const { commandId } = await line.waitForOrder(index + 1);
    for (const status of statuses) {
      await line.ack({
        commandId,
        status,
        ...(status === 'executed' ? { result: { turns: 2 } } : {}),
        ...(status === 'failed' ? { errorCode: 'motor_stalled', errorMessage: 'The bolt does not move.' } : {}),
      });
    }
  }
}

import { deviceTopic, type SettingsMessage } from '../../src/contracts/mqtt.js';
import type { ScriptedDevice } from './scripted-device.js';
import { eventually } from './wait.js';

/** The settings that a device was told, oldest first; null where they were cleared. */
export const heard = (line: ScriptedDevice): { message: SettingsMessage | null; retained: boolean }[] =>
  line.received
    .filter(({ topic }) => topic === deviceTopic(line.id, 'settings'))
    .map(({ payload, retained }) => ({
      message: payload === '' ? null : (JSON.parse(payload) as SettingsMessage),
      retained,
    }));

/** Waits until the last ones are of this version. */
export async function hears(line: ScriptedDevice, version: number): Promise<SettingsMessage> {
  return eventually(`settings in version ${String(version)}`, () => {
    const last = heard(line).at(-1)?.message;
    return last?.version === version && last;
  });
}

/** Says that it has taken over what it was told. */
export async function confirm(line: ScriptedDevice, seq: number, data: object): Promise<void> {
  const event = { seq, boot: line.boot, type: 'settings_updated', data };
  await line.publishRaw(deviceTopic(line.id, 'events'), JSON.stringify(event));
  await line.receipt(line.boot, seq);
}

import { type DeviceChannel, deviceTopic } from '../../src/contracts/mqtt.js';

/** What some part of the way might take for a topic of the device `id`. @param own the device that would name it */
export function topicsLike(id: string, channel: DeviceChannel, own: string): string[] {
  const topic = deviceTopic(id, channel);
  return [
    topic,
    deviceTopic(id.toUpperCase(), channel),
    topic.toUpperCase(),
    `/${topic}`,
    `${topic}/`,
    `v1/devices//${id}/${channel}`,
    `v1/devices/${own}/../${id}/${channel}`,
    `v1/devices/${own}/${id}/${channel}`,
    `v1/devices/${own},${id}/${channel}`,
    `$share/strangers/${topic}`,
    `v1/devices/+/${channel}`,
    `+/+/${id}/${channel}`,
    `v1/devices/${id}/#`,
  ];
}

/** Beside those, what hears more than one topic. */
export function wideFilters(id: string): string[] {
  const all = ['#', '+/#', '+/+/+/+', 'v1/#', 'v1/devices/#', 'v1/devices/+/#', 'v1/devices/+/+', `v1/devices/${id}/+`];
  return [...all, ...all.map((filter) => `$share/strangers/${filter}`), '$SYS/#', `$SYS/+/new/clients`];
}

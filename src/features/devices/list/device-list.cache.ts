import { namesIn } from '../../../platform/http/members/name-list.decorator.js';
import type { DeviceField } from '../facts/device-fields.js';
import type { ListDevicesQueryDto } from './device-list.dto.js';

/** What a device reports all the time: a new value is no change of the device, and ends no cached answer. */
export const READINGS: readonly string[] = [
  'battery',
  'batteryAt',
  'rssi',
  'rssiAt',
  'lastSeenAt',
] satisfies readonly DeviceField[];

/** Whether a list shows readings, or is chosen or ordered by them. */
export function showsReadings({ fields, sort, batteryBelow, seenSince }: ListDevicesQueryDto): boolean {
  const named = [
    ...namesIn(sort).map((name) => name.replace(/^-/, '')),
    ...(fields === undefined ? READINGS : namesIn(fields)),
  ];
  return batteryBelow !== undefined || seenSince !== undefined || named.some((name) => READINGS.includes(name));
}

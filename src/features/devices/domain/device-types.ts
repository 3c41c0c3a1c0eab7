import { DEVICE_TYPES, type DeviceType } from '../../../contracts/devices.js';
import { closestName } from '../../../shared/closest-name.js';

/** What other backends call the types, compared without case, blanks, `_` and `-`. */
const CALLED: Readonly<Record<DeviceType, readonly string[]>> = {
  door_lock: ['lock', 'smart_lock', 'deadbolt', 'electronic_lock'],
  camera: ['doorbell', 'video_doorbell', 'doorbell_camera', 'security_camera', 'ip_camera', 'webcam'],
  motion_sensor: ['motion', 'pir', 'motion_detector'],
  sensor: [
    'contact',
    'contact_sensor',
    'door_sensor',
    'window_sensor',
    'temperature_sensor',
    'humidity_sensor',
    'smoke_detector',
  ],
  switch: ['relay', 'plug', 'smart_plug', 'smart_switch', 'outlet', 'light_switch'],
  other: [],
};
/** Every name of a type that is known. */
export const TYPE_NAMES = Object.entries(CALLED).flatMap(([type, names]) => [type, ...names]);
const TYPE_OF = new Map(
  DEVICE_TYPES.flatMap((type) => [type, ...CALLED[type]].map((name) => [folded(name), type] as const)),
);

/** The type that is meant by a name; undefined for one that is not known. */
export function deviceTypeOf(name: string): DeviceType | undefined {
  return TYPE_OF.get(folded(name));
}

/** What is wrong with a type that is not known. */
export function unknownType(name: unknown): string {
  const meant = typeof name === 'string' ? closestName(name, TYPE_NAMES) : undefined;
  return meant === undefined
    ? `must be one of: ${DEVICE_TYPES.join(', ')}`
    : `is not a type of device, did you mean \`${meant}\`?`;
}

/** What is wrong with a type that is none of ours, where other names of one are not taken. */
export function unlistedType(name: unknown): string {
  const called = typeof name === 'string' ? (closestName(name, TYPE_NAMES) ?? name) : '';
  const meant = deviceTypeOf(called);
  return meant === undefined
    ? `must be one of ${DEVICE_TYPES.join(', ')}`
    : `is not a type of device, did you mean \`${meant}\`?`;
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, '');
}

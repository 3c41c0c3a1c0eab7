import { type DataSet, deviceIds } from './data-set.types.js';

/** How devices are, at one moment. */
export const DEVICE_REPORT: DataSet = {
  columns: {
    id: ['value', 'd.id'],
    name: ['text', 'd.name'],
    type: ['value', 'd.type'],
    hardwareId: ['text', 'd.hardware_id'],
    status: ['value', 'd.status'],
    lastSeenAt: ['time', 'd.last_seen_at'],
    firmwareVersion: ['text', 'd.firmware_version'],
    battery: ['value', 'd.battery'],
    batteryAt: ['time', 'd.battery_at'],
    rssi: ['value', 'd.rssi'],
    lockState: ['value', 'd.lock_state'],
    lockStateAt: ['time', 'd.lock_state_at'],
    doorState: ['value', 'd.door_state'],
    doorStateAt: ['time', 'd.door_state_at'],
    room: ['text', 'd.room'],
    location: ['text', 'd.location'],
    latitude: ['value', 'd.latitude'],
    longitude: ['value', 'd.longitude'],
    timeZone: ['text', 'd.time_zone'],
    organizationId: ['value', 'd.organization_id'],
    createdAt: ['time', 'd.created_at'],
  },
  from: (scope, literal) => `FROM devices d WHERE d.id = ANY (${deviceIds(scope, literal)}) ORDER BY d.name, d.id`,
};

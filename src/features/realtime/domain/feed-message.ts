import type { EventType, StoredEvent } from '../../../contracts/events.js';
import type { FeedEvent, FeedMessage } from '../../../contracts/realtime.js';

/** Which socket event carries an entry of the log; null for what dashboards are not told. */
const CARRIERS: Record<EventType, FeedEvent | null> = {
  device_registered: 'device_status',
  device_updated: 'device_status',
  device_deleted: 'device_status',
  device_inactive: 'device_status',
  status_changed: 'device_status',
  device_connected: 'device_connected',
  device_disconnected: 'device_disconnected',
  door_status_changed: 'door_status_changed',
  motion_detected: 'motion_detected',
  snapshot_captured: 'snapshot_captured',
  low_battery: 'low_battery',
  error_occurred: 'error_occurred',
  command_created: 'command_status',
  command_sent: 'command_status',
  command_received: 'command_status',
  command_executing: 'command_status',
  command_executed: 'command_status',
  command_failed: 'command_status',
  command_timed_out: 'command_status',
  command_expired: 'command_status',
  command_cancelled: 'command_status',
  command_late_result: 'command_status',
  custom: null,
  system_alert: 'system_alert',
};

export function socketEventOf(type: EventType): FeedEvent | null {
  return CARRIERS[type];
}

/** What a dashboard is shown of an entry: an explicit list, so that a new column stays inside until it is added here. */
export function toFeedMessage(event: StoredEvent): FeedMessage {
  const { cursor, id, type, payload, deviceId, commandId, actor, occurredAt, receivedAt, version } = event;
  return { cursor, id, type, payload, deviceId, commandId, actor, occurredAt, receivedAt, version };
}

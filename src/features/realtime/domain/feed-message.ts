import type { EventType, StoredEvent } from '../../../contracts/events.js';
import type { FeedEvent, FeedMessage } from '../../../contracts/realtime.js';

const SOCKET_EVENTS: Record<EventType, FeedEvent | null> = {
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

/** The socket event that carries an event of this type; null when dashboards do not get it. */
export function socketEventOf(type: EventType): FeedEvent | null {
  return SOCKET_EVENTS[type];
}

/** The part of an event that dashboards get. An explicit list, so that a new column is not published by accident. */
export function toFeedMessage(event: StoredEvent): FeedMessage {
  const { cursor, id, type, payload, deviceId, commandId, actor, occurredAt, receivedAt, version } = event;
  return { cursor, id, type, payload, deviceId, commandId, actor, occurredAt, receivedAt, version };
}

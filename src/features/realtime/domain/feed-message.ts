import type { EventType, StoredEvent } from '../../../contracts/events.js';
import { type FeedEvent, type FeedMessage, SOCKET_EVENTS } from '../../../contracts/realtime.js';

/** The socket event that carries an event of this type; null when dashboards do not get it. */
export function socketEventOf(type: EventType): FeedEvent | null {
  return SOCKET_EVENTS[type];
}

/** The part of an event that dashboards get. An explicit list, so that a new column is not published by accident. */
export function toFeedMessage(event: StoredEvent): FeedMessage {
  const { cursor, id, type, payload, deviceId, commandId, actor, occurredAt, receivedAt, version } = event;
  return { cursor, id, type, payload, deviceId, commandId, actor, occurredAt, receivedAt, version };
}

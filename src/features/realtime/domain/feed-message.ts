import type { EventType, StoredEvent } from '../../../contracts/events.js';
import { type FeedEvent, type FeedMessage, SOCKET_EVENTS } from '../../../contracts/realtime.js';

export function socketEventOf(type: EventType): FeedEvent | null {
  return SOCKET_EVENTS[type];
}

/** What a dashboard is shown of an entry: an explicit list, so that a new column stays inside until it is added here. */
export function toFeedMessage(event: StoredEvent): FeedMessage {
  const { cursor, id, type, payload, deviceId, commandId, actor, occurredAt, receivedAt, version } = event;
  return { cursor, id, type, payload, deviceId, commandId, actor, occurredAt, receivedAt, version };
}

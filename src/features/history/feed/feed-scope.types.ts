import type { EventScope, EventType, RoutedEvent } from '../../../contracts/events.js';
import type { FeedRoom } from '../../../contracts/realtime.js';

/** Kinds of events that administrators hear of, whatever they are about. */
export const ADMIN_EVENTS = ['system_alert'] as const;

/** The rooms in which those are who may hear an event. */
export function roomsOfEvent({
  userId,
  organizationId,
  deviceId,
  type,
}: Pick<RoutedEvent, 'userId' | 'organizationId' | 'deviceId'> & { readonly type?: EventType }): FeedRoom[] {
  return [
    ...(userId === null ? [] : [`user:${userId}` as const]),
    ...(organizationId === null ? [] : [`organization:${organizationId}` as const]),
    ...(deviceId === null ? [] : [`device:${deviceId}` as const]),
    ...(ADMIN_EVENTS.some((kind) => kind === type) ? ['role:ADMIN' as const] : []),
  ];
}

/** The rooms of which a person hears the events. */
export function roomsOfScope({ userId, organizationIds, deviceIds, types, withoutOwn }: EventScope): FeedRoom[] {
  return [
    ...(withoutOwn ? [] : [`user:${userId}` as const]),
    ...organizationIds.map((id) => `organization:${id}` as const),
    ...deviceIds.map((id) => `device:${id}` as const),
    ...(types.length > 0 ? ['role:ADMIN' as const] : []),
  ];
}

import type { PayloadOf } from '../../contracts/events.js';
import type { EventDeclaration } from '../../platform/events/event-type-registry.js';

/** Something was added to the list of notifications of a person. For that person. */
export class NotificationPayload implements PayloadOf<'notification'> {
  notificationId!: string;
  /**
   * What it tells of.
   * @example door_forced
   */
  kind!: string;
  isUrgent!: boolean;
}

export const NOTIFICATIONS_EVENTS = { notification: NotificationPayload } satisfies EventDeclaration;

import { Injectable } from '@nestjs/common';
import { newId } from '../../../shared/ids.js';
import type { QuietHours } from '../../account/preferences.types.js';
import { place, type Placement, placeUrgent } from '../domain/digest-window.js';
import { endOfQuiet } from '../domain/quiet-hours.js';
import type { NotificationChannelName } from '../notifications.types.js';
import {
  type NewMessage,
  NotificationOutboxRepository,
  type OpenWindow,
  type WindowOwner,
} from './notification-outbox.repository.js';

/** A notification that goes over channels. */
export interface SentNotification {
  readonly id: string;
  readonly userId: string;
  readonly isUrgent: boolean;
  readonly channels: readonly NotificationChannelName[];
  readonly quietHours: QuietHours | null;
}

interface Delivery {
  readonly notificationId: string;
  readonly channel: NotificationChannelName;
  readonly messageId: string;
}

type Pair = SentNotification & { readonly channel: NotificationChannelName };

/** Decides with which message a notification goes: the urgent ones alone and at once, the others together. */
@Injectable()
export class MessagePlacementService {
  constructor(private readonly outbox: NotificationOutboxRepository) {}

  /** Part of the surrounding transaction. @returns whether there is any message of these */
  async place(notifications: readonly SentNotification[]): Promise<boolean> {
    const pairs = notifications.flatMap((one) => one.channels.map((channel) => ({ ...one, channel })));
    if (pairs.length === 0) {
      return false;
    }
    const asked = new Map(
      pairs.map(({ userId, channel, isUrgent }) => [
        keyOf({ userId, channel, isUrgent }),
        { userId, channel, isUrgent },
      ]),
    );
    const locked = await this.outbox.lockWindows([...asked.values()]);
    const windows = new Map(locked.map((one) => [keyOf(one), one]));
    const messages: NewMessage[] = [];
    const deliveries: Delivery[] = [];
    for (const pair of pairs) {
      const { id: notificationId, userId, channel, isUrgent } = pair;
      const open = windows.get(keyOf(pair));
      if (open) {
        const { window, dueMs } = placementOf(pair, open);
        windows.set(keyOf(pair), { ...open, ...window });
        deliveries.push({ notificationId, channel, messageId: window.messageId });
        messages.push(...(dueMs === null ? [] : [{ id: window.messageId, userId, channel, isUrgent, dueMs }]));
      }
    }
    await this.outbox.addMessages(messages);
    await this.outbox.addDeliveries(deliveries);
    await this.outbox.saveWindows([...windows.values()]);
    return true;
  }
}

function placementOf({ isUrgent, quietHours }: Pair, open: OpenWindow): Placement {
  return isUrgent
    ? placeUrgent(open, open.nowMs, newId)
    : place(open, open.nowMs, (atMs) => endOfQuiet(quietHours, atMs), newId);
}

function keyOf({ userId, channel, isUrgent }: WindowOwner): string {
  return [userId, channel, isUrgent].join(' ');
}

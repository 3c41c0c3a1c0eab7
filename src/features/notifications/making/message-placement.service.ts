import { Injectable } from '@nestjs/common';
import { newId } from '../../../shared/ids.js';
import type { QuietHours } from '../../account/preferences.types.js';
import { place } from '../domain/digest-window.js';
import { endOfQuiet } from '../domain/quiet-hours.js';
import type { NotificationChannelName } from '../notifications.types.js';
import { type NewMessage, NotificationOutboxRepository, type OpenWindow } from './notification-outbox.repository.js';

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

/** Decides with which message a notification goes: an urgent one alone and at once, the others together. */
@Injectable()
export class MessagePlacementService {
  constructor(private readonly outbox: NotificationOutboxRepository) {}

  /** Part of the surrounding transaction. @returns whether there is any message of these */
  async place(notifications: readonly SentNotification[]): Promise<boolean> {
    const pairs = notifications.flatMap((one) => one.channels.map((channel) => ({ ...one, channel })));
    if (pairs.length === 0) {
      return false;
    }
    const alone = pairs.filter(({ isUrgent }) => isUrgent).map(toUrgent);
    const collected = await this.collect(pairs.filter(({ isUrgent }) => !isUrgent));
    await this.outbox.addMessages([...alone.map(({ message }) => message), ...collected.messages]);
    await this.outbox.addDeliveries([...alone.map(({ delivery }) => delivery), ...collected.deliveries]);
    if (collected.windows.length > 0) {
      await this.outbox.saveWindows(collected.windows);
    }
    return true;
  }

  private async collect(
    pairs: readonly (SentNotification & { readonly channel: NotificationChannelName })[],
  ): Promise<{ messages: NewMessage[]; deliveries: Delivery[]; windows: OpenWindow[] }> {
    const people = new Map(pairs.map(({ userId, channel }) => [`${userId} ${channel}`, { userId, channel }]));
    const locked = people.size > 0 ? await this.outbox.lockWindows([...people.values()]) : [];
    const windows = new Map(locked.map((one) => [`${one.userId} ${one.channel}`, one]));
    const messages: NewMessage[] = [];
    const deliveries: Delivery[] = [];
    for (const { id: notificationId, userId, channel, quietHours } of pairs) {
      const key = `${userId} ${channel}`;
      const open = windows.get(key);
      if (open) {
        const { window, dueMs } = place(open, open.nowMs, (atMs) => endOfQuiet(quietHours, atMs), newId);
        windows.set(key, { ...open, ...window });
        deliveries.push({ notificationId, channel, messageId: window.messageId });
        messages.push(...(dueMs === null ? [] : [{ id: window.messageId, userId, channel, isUrgent: false, dueMs }]));
      }
    }
    return { messages, deliveries, windows: [...windows.values()] };
  }
}

function toUrgent({
  id: notificationId,
  userId,
  channel,
}: SentNotification & { readonly channel: NotificationChannelName }): { message: NewMessage; delivery: Delivery } {
  const id = newId();
  // Long ago: it is due whatever the clocks say.
  return {
    message: { id, userId, channel, isUrgent: true, dueMs: 0 },
    delivery: { notificationId, channel, messageId: id },
  };
}

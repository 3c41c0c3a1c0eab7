import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { NotificationsRepository } from './list/notifications.repository.js';
import { FailedMessagesRepository } from './sending/failed-messages.repository.js';
import { PushSubscriptionsRepository } from './push/push-subscriptions.repository.js';
import { SmsCountsRepository } from './sms/sms-counts.repository.js';
import { PhoneCodesRepository } from './sms/phone-codes.repository.js';

const DAY_MS = 86_400_000;

export const NOTIFICATIONS_PURGE = purgeRule({
  name: 'purge_notifications',
  tables: ['notifications'],
  keptFor: 90 * DAY_MS,
  from: [NotificationsRepository],
  purge: ({ limit, keptMs }, notifications) => notifications.purge(limit, keptMs),
});

export const NOTIFICATION_MESSAGES_PURGE = purgeRule({
  name: 'purge_notification_messages',
  tables: ['notification_messages'],
  keptFor: 90 * DAY_MS,
  from: [FailedMessagesRepository],
  purge: ({ limit, keptMs }, messages) => messages.purge(limit, keptMs),
});

/** Those of sessions that have ended: nothing is pushed to them since. */
export const PUSH_SUBSCRIPTIONS_PURGE = purgeRule({
  name: 'purge_push_subscriptions',
  tables: ['push_subscriptions'],
  keptFor: 0,
  from: [PushSubscriptionsRepository],
  purge: ({ limit, keptMs }, subscriptions) => subscriptions.purge(limit, keptMs),
});

export const PHONE_CODES_PURGE = purgeRule({
  name: 'purge_phone_codes',
  tables: ['notification_phone_codes'],
  keptFor: DAY_MS,
  from: [PhoneCodesRepository],
  purge: ({ limit, keptMs }, codes) => codes.purge(limit, keptMs),
});

export const SMS_COUNTS_PURGE = purgeRule({
  name: 'purge_sms_counts',
  tables: ['sms_counts'],
  keptFor: 62 * DAY_MS,
  from: [SmsCountsRepository],
  purge: ({ limit, keptMs }, counts) => counts.purgeCounts(limit, keptMs),
});

export const SMS_RESERVATIONS_PURGE = purgeRule({
  name: 'purge_sms_reservations',
  tables: ['sms_reservations'],
  keptFor: 62 * DAY_MS,
  from: [SmsCountsRepository],
  purge: ({ limit, keptMs }, counts) => counts.purgeReservations(limit, keptMs),
});

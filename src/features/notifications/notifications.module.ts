import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { PushModule } from '../../platform/push/push.module.js';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { SmsModule } from '../../platform/sms/sms.module.js';
import { AccountModule } from '../account/account.module.js';
import { HistoryModule } from '../history/history.module.js';
import { UsersModule } from '../users/users.module.js';
import { MailEventsService } from './email/mail-events.service.js';
import { MailReportsRepository } from './email/mail-reports.repository.js';
import { MailSuppressionsRepository } from './email/mail-suppressions.repository.js';
import { MailSuppressionsService } from './email/mail-suppressions.service.js';
import { ChatCallsService } from './chat/chat-calls.service.js';
import { ChatTransport } from './chat/chat-transport.js';
import { EmailTransport } from './email/email-transport.js';
import { NotificationChannelRegistry } from './channels/notification-channel-registry.js';
import { PushTransport } from './push/push-transport.js';
import { SmsTransport } from './sms/sms-transport.js';
import { UnsubscribeTokensService } from './email/unsubscribe-tokens.service.js';
import { NotificationViewService } from './list/notification-view.service.js';
import { NotificationsRepository } from './list/notifications.repository.js';
import { NotificationsService } from './list/notifications.service.js';
import { MessagePlacementService } from './making/message-placement.service.js';
import { NotificationAudienceRepository } from './making/notification-audience.repository.js';
import { NotificationEventReaderService } from './making/notification-event-reader.service.js';
import { NotificationMakerService } from './making/notification-maker.service.js';
import { NotificationOutboxRepository } from './making/notification-outbox.repository.js';
import { NOTIFICATIONS_AUDIT } from './notifications.audit.js';
import { NOTIFICATIONS_EVENTS } from './notifications.events.js';
import { NOTIFICATIONS_MAIL } from './notifications.mail.js';
import {
  NOTIFICATION_MESSAGES_PURGE,
  NOTIFICATIONS_PURGE,
  PHONE_CODES_PURGE,
  PUSH_SUBSCRIPTIONS_PURGE,
  SMS_COUNTS_PURGE,
  SMS_RESERVATIONS_PURGE,
} from './notifications.purge.js';
import { NOTIFICATIONS_RATE_LIMITS } from './notifications.rate-limits.js';
import { NotificationPreferencesRepository } from './preferences/notification-preferences.repository.js';
import { NotificationPreferencesService } from './preferences/notification-preferences.service.js';
import { EffectivePreferencesService } from './preferences/effective-preferences.service.js';
import { FailedMessagesRepository } from './sending/failed-messages.repository.js';
import { FailedMessagesService } from './sending/failed-messages.service.js';
import { MessageAttemptsRepository } from './sending/message-attempts.repository.js';
import { MessageJudgeService } from './sending/message-judge.service.js';
import { SmsBudgetService } from './sms/sms-budget.service.js';
import { SmsCountsRepository } from './sms/sms-counts.repository.js';
import { SmsReportsRepository } from './sms/sms-reports.repository.js';
import { SmsReportsService } from './sms/sms-reports.service.js';
import { ChatHooksRepository } from './chat/chat-hooks.repository.js';
import { ChatHooksService } from './chat/chat-hooks.service.js';
import { ChatSecretsService } from './chat/chat-secrets.service.js';
import { PhoneCodesRepository } from './sms/phone-codes.repository.js';
import { PhoneCodesService } from './sms/phone-codes.service.js';
import { PhoneNumbersService } from './sms/phone-numbers.service.js';
import { PhoneService } from './sms/phone.service.js';
import { PhonesRepository } from './sms/phones.repository.js';
import { PushSubscriptionsRepository } from './push/push-subscriptions.repository.js';
import { PushSubscriptionsService } from './push/push-subscriptions.service.js';
import { PushTargetsService } from './push/push-targets.service.js';

/** What the edges of the feature call, in one role or another. */
const PROVIDERS = [
  NotificationsService,
  NotificationViewService,
  NotificationsRepository,
  NotificationPreferencesService,
  NotificationPreferencesRepository,
  EffectivePreferencesService,
  NotificationChannelRegistry,
  UnsubscribeTokensService,
  NotificationAudienceRepository,
  NotificationOutboxRepository,
  MessagePlacementService,
  NotificationMakerService,
  MessageAttemptsRepository,
  MessageJudgeService,
  FailedMessagesRepository,
  FailedMessagesService,
  PushSubscriptionsService,
  PushSubscriptionsRepository,
  PushTargetsService,
  ChatHooksService,
  ChatHooksRepository,
  ChatSecretsService,
  ChatCallsService,
  MailEventsService,
  MailReportsRepository,
  MailSuppressionsService,
  MailSuppressionsRepository,
  PhoneService,
  PhonesRepository,
  PhoneCodesService,
  PhoneCodesRepository,
  PhoneNumbersService,
  SmsBudgetService,
  SmsCountsRepository,
  SmsReportsService,
  SmsReportsRepository,
];

/** What people are told of what happened, in the app and outside of it. */
@Module({
  imports: [
    UsersModule,
    AccountModule,
    HistoryModule,
    AuditPlatformModule.forFeature(NOTIFICATIONS_AUDIT),
    EventsModule.forFeature(NOTIFICATIONS_EVENTS),
    MailModule.forFeature(NOTIFICATIONS_MAIL),
    PushModule,
    RateLimitModule.forFeature(NOTIFICATIONS_RATE_LIMITS),
    SmsModule,
  ],
  providers: [
    ...PROVIDERS,
    EmailTransport,
    PushTransport,
    SmsTransport,
    ChatTransport,
    NotificationEventReaderService,
    NOTIFICATIONS_PURGE,
    NOTIFICATION_MESSAGES_PURGE,
    PUSH_SUBSCRIPTIONS_PURGE,
    PHONE_CODES_PURGE,
    SMS_COUNTS_PURGE,
    SMS_RESERVATIONS_PURGE,
  ],
  exports: PROVIDERS,
})
export class NotificationsModule {}

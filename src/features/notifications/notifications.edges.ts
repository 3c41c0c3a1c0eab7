import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { MailEventsController } from './email/mail-events.controller.js';
import { MailSuppressionController } from './email/mail-suppression.controller.js';
import { NotificationsController } from './list/notifications.controller.js';
import { NotificationPreferencesController } from './preferences/notification-preferences.controller.js';
import { MessageSenderService } from './sending/message-sender.service.js';
import { MessageSettlementService } from './sending/message-settlement.service.js';
import { NotificationMetrics } from './sending/notification-metrics.js';
import { NotificationSweeper } from './sending/notification-sweeper.js';
import { SmsBudgetMetrics } from './sms/sms-budget-metrics.js';
import { SmsReportsController } from './sms/sms-reports.controller.js';
import { ChatHooksController } from './chat/chat-hooks.controller.js';
import { PhoneController } from './sms/phone.controller.js';
import { PushSubscriptionsController } from './push/push-subscriptions.controller.js';

/** What meets the outside in each role. */
export const notificationsEdges = {
  api: [
    ChatHooksController,
    MailEventsController,
    MailSuppressionController,
    NotificationPreferencesController,
    PhoneController,
    PushSubscriptionsController,
    SmsReportsController,
    NotificationsController,
  ],
  worker: [NotificationMetrics, SmsBudgetMetrics, MessageSettlementService, MessageSenderService, NotificationSweeper],
} satisfies FeatureEdges;

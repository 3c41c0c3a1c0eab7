import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { NotificationsController } from './list/notifications.controller.js';
import { NotificationPreferencesController } from './preferences/notification-preferences.controller.js';
import { MessageSenderService } from './sending/message-sender.service.js';
import { MessageSettlementService } from './sending/message-settlement.service.js';
import { NotificationMetrics } from './sending/notification-metrics.js';
import { NotificationSweeper } from './sending/notification-sweeper.js';
import { PushSubscriptionsController } from './targets/push-subscriptions.controller.js';

/** What meets the outside in each role. */
export const notificationsEdges = {
  api: [NotificationPreferencesController, PushSubscriptionsController, NotificationsController],
  worker: [NotificationMetrics, MessageSettlementService, MessageSenderService, NotificationSweeper],
} satisfies FeatureEdges;

import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { WebhookDeliveriesController } from './deliveries/webhook-deliveries.controller.js';
import { WebhooksController } from './endpoints/webhooks.controller.js';
import { WebhookMetrics } from './sending/webhook-metrics.js';
import { WebhookSenderService } from './sending/webhook-sender.service.js';
import { WebhookSettlementService } from './sending/webhook-settlement.service.js';
import { WebhookSweeper } from './sending/webhook-sweeper.js';

/** What meets the outside in each role. */
export const webhooksEdges = {
  api: [WebhooksController, WebhookDeliveriesController],
  worker: [WebhookMetrics, WebhookSettlementService, WebhookSenderService, WebhookSweeper],
} satisfies FeatureEdges;

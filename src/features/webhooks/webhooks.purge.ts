import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { WebhookDeliveriesRepository } from './deliveries/webhook-deliveries.repository.js';

const DAY_MS = 86_400_000;

/** Deliveries that ended two weeks ago: until then they can be looked at, and sent again. */
export const WEBHOOKS_PURGE = purgeRule({
  name: 'purge_webhook_deliveries',
  tables: ['webhook_deliveries'],
  keptFor: 14 * DAY_MS,
  from: [WebhookDeliveriesRepository],
  purge: ({ limit, keptMs }, deliveries) => deliveries.purge(limit, keptMs),
});

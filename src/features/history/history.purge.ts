import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { HistoryRepository } from './history.repository.js';

/** How many events were stored on earlier days. */
export const EVENT_QUOTAS_PURGE = purgeRule({
  name: 'purge_event_quotas',
  everyMs: 3_600_000,
  from: [HistoryRepository],
  purge: (limit, history) => history.purgeEventCounts(limit),
});

/** Receipts of boots that are over for a month. */
export const EVENT_RECEIPTS_PURGE = purgeRule({
  name: 'purge_event_receipts',
  everyMs: 600_000,
  from: [HistoryRepository],
  purge: (limit, history) => history.purgeReceipts(limit),
});

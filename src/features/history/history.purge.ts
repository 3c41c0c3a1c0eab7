import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { HistoryRepository } from './history.repository.js';

/** Receipts of boots that are over for a month. */
export const EVENT_RECEIPTS_PURGE = purgeRule({
  name: 'purge_event_receipts',
  everyMs: 600_000,
  from: [HistoryRepository],
  purge: (limit, history) => history.purgeReceipts(limit),
});

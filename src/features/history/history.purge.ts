import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { HistoryRepository, RECEIPTS_KEPT_DAYS } from './history.repository.js';

const DAY_MS = 86_400_000;

/** How many events were stored on days that are over: yesterday's stays, for clients in other time zones. */
export const EVENT_QUOTAS_PURGE = purgeRule({
  name: 'purge_event_quotas',
  tables: ['event_quotas'],
  keptFor: DAY_MS,
  from: [HistoryRepository],
  purge: ({ limit, keptMs }, history) => history.purgeEventCounts(limit, keptMs),
});

/** Receipts of boots that are over: no device still sends events of one that old. It looks past those of boots that go on. */
export const EVENT_RECEIPTS_PURGE = purgeRule({
  name: 'purge_event_receipts',
  everyMs: 600_000,
  tables: ['device_receipts'],
  keptFor: RECEIPTS_KEPT_DAYS * DAY_MS,
  from: [HistoryRepository],
  purge: ({ limit, keptMs }, history) => history.purgeReceipts(limit, keptMs),
});

import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { AnalyticsRepository } from './analytics.repository.js';

/** Counts of hours long ago: they outlast the events that they count. */
export const ROLLUPS_PURGE = purgeRule({
  name: 'purge_event_rollups',
  tables: ['event_rollups'],
  keptFor: 'rollupsMs',
  from: [AnalyticsRepository],
  purge: ({ limit, keptMs }, analytics) => analytics.purge(limit, keptMs),
});

import { purgeRule } from '../../../platform/scheduling/purge-registry.js';
import { EventCountsRepository } from './event-counts.repository.js';

/** Counts of long ago: they outlast the events that they count. */
export const ROLLUPS_PURGE = purgeRule({
  name: 'purge_event_rollups',
  tables: ['event_counts', 'device_offline_periods', 'event_rollups'],
  keptFor: 'rollupsMs',
  from: [EventCountsRepository],
  purge: ({ limit, keptMs }, counts) => counts.purge(limit, keptMs),
});

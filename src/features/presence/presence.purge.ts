import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { DiagnosticsRepository } from './diagnostics/diagnostics.repository.js';

const DAY_MS = 86_400_000;

/** Refusals that did not happen again for a month. */
export const DIAGNOSTICS_PURGE = purgeRule({
  name: 'purge_device_diagnostics',
  tables: ['device_diagnostics'],
  keptFor: 30 * DAY_MS,
  from: [DiagnosticsRepository],
  purge: ({ limit, keptMs }, diagnostics) => diagnostics.purge(limit, keptMs),
});

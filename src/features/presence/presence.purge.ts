import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { DiagnosticsRepository } from './diagnostics/diagnostics.repository.js';

/** Refusals that did not happen again for a month. */
export const DIAGNOSTICS_PURGE = purgeRule({
  name: 'purge_device_diagnostics',
  everyMs: 3_600_000,
  from: [DiagnosticsRepository],
  purge: (limit, diagnostics) => diagnostics.purge(limit),
});

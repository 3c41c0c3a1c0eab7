import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { ExportsRepository } from './exports.repository.js';

const DAY_MS = 86_400_000;

/** Exports that ended long ago, and those that were deleted. A row outlasts its file. */
export const EXPORTS_PURGE = purgeRule({
  name: 'purge_exports',
  tables: ['exports'],
  keptFor: 30 * DAY_MS,
  from: [ExportsRepository],
  purge: ({ limit, keptMs }, exports) => exports.purge(limit, keptMs),
});

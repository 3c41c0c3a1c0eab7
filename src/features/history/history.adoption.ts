import { adoptionRule } from '../../platform/adoption/adoption-registry.js';
import { HistoryRepository } from './history.repository.js';

/** Devices have dropped the events that were acknowledged since the backup: their sequences may go on above the receipts. */
export const RECEIPTS_ADOPTION = adoptionRule({
  name: 'receipts_marked_incomplete',
  from: [HistoryRepository],
  adopt: (history) => history.markReceiptsIncomplete(),
});

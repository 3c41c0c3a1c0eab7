import { adoptionRule } from '../../platform/adoption/adoption-registry.js';
import { HistoryRepository } from './history.repository.js';

/** Devices have dropped the events that were acknowledged since the backup: their sequences go on above the receipts. */
export const RECEIPTS_ADOPTION = adoptionRule({
  name: 'receipts_opened',
  from: [HistoryRepository],
  adopt: (limit, _turn, history) => history.openReceipts(limit),
});

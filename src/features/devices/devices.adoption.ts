import { adoptionRule } from '../../platform/adoption/adoption-registry.js';
import { ActivationsRepository } from './credentials/activations.repository.js';
import { TransfersRepository } from './transfers/transfers.repository.js';

/** Offers may have been cancelled since the backup, or answered: none is open any more. */
export const TRANSFERS_ADOPTION = adoptionRule({
  name: 'device_transfers_ended',
  from: [TransfersRepository],
  adopt: (transfers) => transfers.endAll(),
});

/** Codes may have been used or replaced since the backup. Their devices get new ones. */
export const ACTIVATIONS_ADOPTION = adoptionRule({
  name: 'activation_codes_ended',
  from: [ActivationsRepository],
  adopt: (activations) => activations.endAll(),
});
